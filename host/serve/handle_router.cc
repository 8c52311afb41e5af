#include "host/serve/handle_router.h"

#include <utility>

namespace nur {
namespace {

constexpr std::string_view kNoRoute =
    "HTTP/1.1 404 Not Found\r\nContent-length: 16\r\n\r\nRoute not found\n";
constexpr std::string_view kNoFunction =
    "HTTP/1.1 404 Not Found\r\nContent-length: 19\r\n\r\nFunction not found\n";

std::string key_of(std::string_view method, std::string_view target) {
  std::string key;
  key.reserve(method.size() + 1 + target.size());
  return key.append(method).append(1, ' ').append(target);
}

std::string_view last_part(std::string_view target) {
  target = target.substr(0, target.find('?'));
  return target.substr(target.rfind('/') + 1);
}

}  // namespace

std::optional<std::uint32_t> entry_of(const HandleRoute& route, const HandleEntries& entries) {
  if (route.entry) return entries.find(*route.entry);
  if (const auto entry = entries.find("handle")) return entry;
  return entries.find(last_part(route.target));
}

HandleRouter::HandleRouter(std::span<const HandleRoute> routes, const Registry& registry,
                           Dispatcher& dispatcher, RequestHandler* next)
    : dispatcher_(dispatcher), next_(next) {
  for (const HandleRoute& route : routes) {
    Application application;
    application.function = registry.find(route.function);
    if (application.function != nullptr && application.function->abi() == GuestAbi::handle) {
      if (const auto entry = entry_of(route, application.function->handle_entries())) {
        application.target = HandleTarget{*entry, &route.environment};
      }
    }
    applications_.insert_or_assign(key_of(route.method, route.target), std::move(application));
  }
}

const HandleRouter::Application* HandleRouter::find(const Request& request) const {
  const auto found = applications_.find(key_of(request.method, request.target));
  return found == applications_.end() ? nullptr : &found->second;
}

void HandleRouter::handle(Exchange& exchange) {
  const Application* const application = find(exchange.request());
  if (application == nullptr) {
    if (next_ != nullptr) return next_->handle(exchange);
    return exchange.respond_exactly(std::string(kNoRoute));
  }
  if (!application->target) return exchange.respond_exactly(std::string(kNoFunction));
  Route route;
  route.name = application->function->name();
  route.handle = &*application->target;
  dispatcher_.handle_at(exchange, *application->function, std::move(route));
}

bool HandleRouter::takes_early(const Request& request) {
  return next_ != nullptr && find(request) == nullptr && next_->takes_early(request);
}

std::optional<std::size_t> HandleRouter::body_bytes_max(const Request& request) {
  const Application* const application = find(request);
  if (application == nullptr) return next_ ? next_->body_bytes_max(request) : std::nullopt;
  if (!application->target) return std::nullopt;
  return application->function->limits().body_bytes_max;
}

}  // namespace nur
