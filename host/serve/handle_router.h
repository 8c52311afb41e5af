// Requests that a configuration of serverless-wasm routes: exactly this method and this target,
// query included, to exactly this export of a module, with values of its own. What is answered has
// the bytes that serverless-wasm sends, and the connection is closed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "host/abi/handle/environment_table.h"
#include "host/serve/dispatcher.h"
#include "host/serve/registry.h"

namespace nur {

// One of [[applications]].
struct HandleRoute {
  std::string method;
  std::string target;    // as it is sent, with the query
  std::string function;  // under which the module is served
  // The export to call; nullopt: `handle`, or else the one called like the last part of the target.
  std::optional<std::string> entry;
  EnvironmentTable environment;
};

// What a route calls; nullopt when the module has no such export of type () -> ().
std::optional<std::uint32_t> entry_of(const HandleRoute& route, const HandleEntries& entries);

class HandleRouter final : public RequestHandler {
 public:
  // Of two routes for the same requests the last counts. What no route has goes to `next`, or is
  // told so when there is none. All outlive the router; the functions are loaded.
  HandleRouter(std::span<const HandleRoute> routes, const Registry& registry,
               Dispatcher& dispatcher, RequestHandler* next);

  void handle(Exchange& exchange) override;
  [[nodiscard]] bool takes_early(const Request& request) override;
  [[nodiscard]] std::optional<std::size_t> body_bytes_max(const Request& request) override;

 private:
  struct Application {
    Function* function = nullptr;  // nullptr: it could not be loaded
    std::optional<HandleTarget> target;
  };
  [[nodiscard]] const Application* find(const Request& request) const;

  std::unordered_map<std::string, Application> applications_;  // by "METHOD TARGET"
  Dispatcher& dispatcher_;
  RequestHandler* const next_;
};

}  // namespace nur
