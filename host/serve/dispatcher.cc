#include "host/serve/dispatcher.h"

#include "base/log.h"
#include "host/serve/stream_task.h"
#include "host/serve/typed_task.h"
#include "host/serve/wasi_task.h"

namespace nur {
namespace {

Response overloaded(const Function& function, const Error& error) {
  spdlog::warn("function {}: no instance: {}", printable(function.name()), error.message);
  Response response = host_response(503, "the function has no instance free; try again");
  response.headers.push_back({"Retry-After", "1"});
  return response;
}

Response quarantined(std::chrono::seconds left) {
  Response response = host_response(
      503,
      "quarantined: the function has brought down its worker 3 times in a minute; deploy it anew");
  response.headers.push_back({"Retry-After", std::to_string(left.count())});
  return response;
}

// Preparing a task fails for what the request says, or for reasons of ours.
Response answer_of(const Function& function, const Error& error) {
  switch (error.kind) {
    case ErrorKind::invalid_input:
    case ErrorKind::limit_exceeded:
      return host_response(400, error.message);
    case ErrorKind::not_found:
      return host_response(404, error.message);
    default:
      spdlog::error("function {}: {}", printable(function.name()), error.message);
      return host_response(500, "the host could not begin this request");
  }
}

Response method_not_allowed() {
  Response response = host_response(405, "use GET or HEAD");
  response.headers.push_back({"Allow", "GET, HEAD"});
  return response;
}

}  // namespace

std::expected<std::unique_ptr<GuestTask>, Response> Dispatcher::make_task(const Route& route,
                                                                          Function& function,
                                                                          Exchange& exchange) {
  const bool api = route.kind == Route::Kind::api;
  if (api && function.abi() == GuestAbi::nur) {
    return std::unexpected(
        host_response(404, fmt::format("{} answers requests at /{}, not below /api",
                                       printable(route.name), printable(route.name))));
  }
  if (!api && function.abi() == GuestAbi::typed) {
    return std::unexpected(
        host_response(404, fmt::format("{} is called at /api/{}/INPUT", printable(route.name),
                                       printable(route.name))));
  }
  const std::string_view method = exchange.request().method;
  if (api && method != "GET" && method != "HEAD") return std::unexpected(method_not_allowed());

  Result<Lease> lease = function.acquire();
  if (!lease) {
    ++context_.page.guests.no_instance;
    return std::unexpected(overloaded(function, lease.error()));
  }

  switch (function.abi()) {
    case GuestAbi::nur:
      return std::make_unique<StreamTask>(context_, function, *std::move(lease), exchange);
    case GuestAbi::wasi: {
      auto task = WasiTask::make(context_, function, *std::move(lease), exchange, route);
      if (!task) return std::unexpected(answer_of(function, task.error()));
      return *std::move(task);
    }
    case GuestAbi::typed:
      break;
  }
  auto task = TypedTask::make(context_, function, *std::move(lease), exchange, route.input);
  if (!task) return std::unexpected(answer_of(function, task.error()));
  return *std::move(task);
}

void Dispatcher::handle(Exchange& exchange) {
  const Request& request = exchange.request();
  const std::optional<Route> route = route_of(request.path);
  Function* const function = route ? registry_.find(route->name) : nullptr;
  if (function == nullptr) {
    exchange.respond(
        host_response(404, fmt::format("no function at {}", printable(request.path, 200))));
    return;
  }

  const TimePoint now = context_.loop.now();
  if (quarantine_.holds(function->number(), now)) {
    ++context_.page.guests.quarantined;
    exchange.respond(quarantined(quarantine_.left(function->number(), now)));
    return;
  }
  const OnAccountOf account(context_.page, function->number());

  auto made = make_task(*route, *function, exchange);
  if (!made) {
    exchange.respond(std::move(made).error());
    return;
  }
  (*made)->begin(context_.clock.now() + function->limits().time.timeout);
  scheduler_.start(*std::move(made));
}

}  // namespace nur
