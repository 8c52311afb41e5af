// The command line of nurc.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/compile.h"
#include "compiler/inspect.h"
#include "compiler/toolchain.h"

namespace nur {

struct CompileCommand {
  std::vector<CompileOptions> modules;
  unsigned jobs = 1;
  bool verbose = false;
  ToolchainOptions toolchain;
};

struct InspectCommand {
  std::vector<Path> files;
  InspectFormat format = InspectFormat::text;
};

struct VersionCommand {
  ToolchainOptions toolchain;
};

// What the arguments ask to print (help), and the exit code to end with.
struct PrintAndExit {
  std::string text;
  int exit_code = 0;  // 0: to stdout; otherwise to stderr
};

using NurcCommand = std::variant<CompileCommand, InspectCommand, VersionCommand, PrintAndExit>;

NurcCommand parse_nurc_options(int argc, const char* const* argv);

}  // namespace nur
