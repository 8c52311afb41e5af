// The command line of nurhost.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/command_line.h"
#include "base/log.h"
#include "host/config/nur_toml.h"
#include "host/process/serve_options.h"
#include "host/run/run_once.h"

namespace nur {

struct ServeCommand {
  ServeOptions options;
  // What goes before the settings of files.
  GivenSettings given;
  LogLevel log_level = LogLevel::info;
};

struct RunCommand {
  RunOptions options;
};

using NurhostCommand = std::variant<ServeCommand, RunCommand, PrintAndExit>;

NurhostCommand parse_nurhost_options(int argc, const char* const* argv);

}  // namespace nur
