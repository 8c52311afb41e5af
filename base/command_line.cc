#include "base/command_line.h"

#include <cstdio>

#include <fmt/format.h>

namespace nur {

PrintAndExit usage_error(std::string_view program, std::string_view message) {
  return {fmt::format("{}: {}\nRun {} --help for what it takes.\n", program, message, program), 2};
}

int print(const PrintAndExit& what) {
  fmt::print(what.exit_code == 0 ? stdout : stderr, "{}", what.text);
  return what.exit_code;
}

}  // namespace nur
