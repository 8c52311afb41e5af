// Which function a path means, and how it is called.
//
//   /NAME, /NAME/...       the function itself: a stream or a CGI command
//   /api/NAME/INPUT        its result for INPUT, as text: a typed export or a command
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "host/abi/handle/handle_call.h"

namespace nur {

struct Route {
  enum class Kind { function, api };
  Kind kind = Kind::function;
  std::string name;         // decoded
  std::string input;        // of api: decoded, everything behind /api/NAME/
  std::string script_name;  // the part of the path that named it, as it was sent: "/hello"
  // Of a handle function that a configuration of serverless-wasm routes to: what is called.
  const HandleTarget* handle = nullptr;
};

// nullopt for a path that can name no function ("/", or one with a malformed escape).
std::optional<Route> route_of(std::string_view path);

// "%20" and the like replaced; nullopt when an escape is malformed or stands for NUL.
std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace nur
