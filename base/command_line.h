// What both programs' command lines have in common.
#pragma once

#include <string>
#include <string_view>

namespace nur {

// What the arguments ask to print (help, a version, a complaint), and the exit code to end with.
struct PrintAndExit {
  std::string text;
  int exit_code = 0;  // 0: to stdout; otherwise to stderr
};

// "nurc: MESSAGE", with where to find help, and exit code 2.
PrintAndExit usage_error(std::string_view program, std::string_view message);

// Prints it and returns the exit code.
int print(const PrintAndExit& what);

}  // namespace nur
