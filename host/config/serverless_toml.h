// The configuration of serverless-wasm, unchanged:
//
//   listen_address = "127.0.0.1:8080"
//
//   [[applications]]
//   file_path = "./samples/testfunc.wasm"   relative to the current folder
//   method = "GET"
//   url_path = "/hello"                     the whole target of a request, query included
//   function = "hello"                      an export; or none: see HandleRoute
//   env = { "/env/backend" = "127.0.0.1:8181" }
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/config/toml_file.h"
#include "host/serve/handle_router.h"

namespace nur {

struct ServerlessApplication {
  Path module;
  HandleRoute route;  // but for the name of its function
  // "config.toml:4:13", for messages.
  std::string module_place;
  std::string route_place;
};

struct ServerlessToml {
  std::optional<std::string> listen_address;
  std::vector<ServerlessApplication> applications;  // in the order of the file
};

// Whether a file has keys of serverless-wasm, or what may be meant for them, and not of ours.
bool is_serverless_toml(const TomlFile& file);

// Says in the log which routes are there twice. Errors: invalid_input, as "FILE:LINE:COLUMN: what".
Result<ServerlessToml> read_serverless_toml(const TomlFile& file);

}  // namespace nur
