// The command line of nurc.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/command_line.h"
#include "compiler/compile.h"
#include "compiler/inspect.h"
#include "compiler/toolchain.h"

namespace nur {

struct CompileCommand {
  std::vector<CompileOptions> modules;
  unsigned jobs = 1;
  std::optional<Path> cache;  // folder of the object cache; none: nothing is kept
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

using NurcCommand = std::variant<CompileCommand, InspectCommand, VersionCommand, PrintAndExit>;

NurcCommand parse_nurc_options(int argc, const char* const* argv);

}  // namespace nur
