// The command line of nurhost.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/command_line.h"
#include "base/file.h"
#include "base/log.h"
#include "host/net/http_server.h"
#include "host/run/run_once.h"
#include "host/serve/function.h"
#include "host/serve/static_reply.h"

namespace nur {

struct ServeCommand {
  std::vector<Path> paths;
  ServerOptions server;
  FunctionLimits limits;
  std::vector<StaticReply> static_replies;
  Milliseconds drain_timeout{30'000};
  std::optional<Path> profiles;  // folder to write profiles to at the end
  LogLevel log_level = LogLevel::info;
};

struct RunCommand {
  RunOptions options;
};

using NurhostCommand = std::variant<ServeCommand, RunCommand, PrintAndExit>;

NurhostCommand parse_nurhost_options(int argc, const char* const* argv);

}  // namespace nur
