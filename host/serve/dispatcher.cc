#include "host/serve/dispatcher.h"

#include <algorithm>

#include "base/log.h"
#include "base/units.h"
#include "host/serve/handle_task.h"
#include "host/serve/stream_task.h"
#include "host/serve/typed_task.h"
#include "host/serve/wasi_task.h"

namespace nur {
namespace {

// While requests wait for an instance, those who hold one are looked at so often.
constexpr Milliseconds kMakingWayPeriod{100};

Response no_instance(const TaskContext& context, const Arrival& arrival, std::string_view reason) {
  ++context.page.guests.no_instance;
  const Request& request = arrival.exchange->request();
  spdlog::warn("function {}: no instance: {} ({} {})", printable(arrival.function->name()), reason,
               request.method, printable(request.target, 200));
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

// What is wrong with asking this function in this way.
std::optional<Response> refusal(const Arrival& arrival) {
  const Route& route = arrival.route;
  const GuestAbi abi = arrival.function->abi();
  const bool api = route.kind == Route::Kind::api;
  if (api && (abi == GuestAbi::nur || abi == GuestAbi::handle)) {
    return host_response(404, fmt::format("{} answers requests at /{}, not below /api",
                                          printable(route.name), printable(route.name)));
  }
  if (!api && abi == GuestAbi::typed) {
    return host_response(404, fmt::format("{} is called at /api/{}/INPUT", printable(route.name),
                                          printable(route.name)));
  }
  const std::string_view method = arrival.exchange->request().method;
  if (api && method != "GET" && method != "HEAD") return method_not_allowed();
  return std::nullopt;
}

Result<std::unique_ptr<GuestTask>> make_task(const TaskContext& context, const Arrival& arrival,
                                             Lease lease) {
  Function& function = *arrival.function;
  Exchange& exchange = *arrival.exchange;
  switch (function.abi()) {
    case GuestAbi::nur:
      return std::make_unique<StreamTask>(context, function, std::move(lease), exchange);
    case GuestAbi::wasi:
      return NUR_TRY(WasiTask::make(context, function, std::move(lease), exchange, arrival.route));
    case GuestAbi::handle:
      return NUR_TRY(
          HandleTask::make(context, function, std::move(lease), exchange, arrival.route.handle));
    case GuestAbi::typed:
      break;
  }
  return NUR_TRY(
      TypedTask::make(context, function, std::move(lease), exchange, arrival.route.input));
}

}  // namespace

Dispatcher::Dispatcher(const TaskContext& context, const Registry& registry,
                       const QuarantineTable& quarantine)
    : context_(context),
      registry_(registry),
      quarantine_(quarantine),
      scheduler_(context_, [this] { admit_soon(); }),
      waiting_(context.loop.timers(), [this](const Arrival& arrival) { leave(arrival); }),
      admission_(context.loop.timers(), [this] { admit(); }),
      making_way_(context.loop.timers(), [this] { make_way(); }) {}

void Dispatcher::handle(Exchange& exchange) {
  const Request& request = exchange.request();
  std::optional<Route> route = route_of(request.path);
  Function* const function = route ? registry_.find(route->name) : nullptr;
  if (function == nullptr) {
    exchange.respond(
        host_response(404, fmt::format("no function at {}", printable(request.path, 200))));
    return;
  }
  dispatch(exchange, *function, *std::move(route), nullptr);
}

void Dispatcher::call(Exchange& exchange, const std::string& name, std::string input,
                      TimePoint* started) {
  Function* const function = registry_.find(name);
  if (function == nullptr) {
    exchange.respond(
        host_response(404, fmt::format("there is no function {}", printable(name, 200))));
    return;
  }
  dispatch(exchange, *function,
           {.kind = Route::Kind::api, .name = name, .input = std::move(input), .script_name = ""},
           started);
}

void Dispatcher::dispatch(Exchange& exchange, Function& function, Route route, TimePoint* started) {
  if (is_quarantined(exchange, function)) return;
  // The loop's reading may be a turn old.
  const TimePoint arrived = context_.clock.now();
  receive(
      {&exchange, &function, std::move(route), arrived + function.limits().time.timeout, started},
      arrived);
}

void Dispatcher::handle_raw(Exchange& exchange, Function& function) {
  Route route;
  route.name = function.name();
  dispatch(exchange, function, std::move(route), nullptr);
}

bool Dispatcher::is_quarantined(Exchange& exchange, const Function& function) {
  const TimePoint now = context_.loop.now();
  if (!quarantine_.holds(function.number(), now)) return false;
  ++context_.page.guests.quarantined;
  exchange.respond(quarantined(quarantine_.left(function.number(), now)));
  return true;
}

// Who reads a body while it comes holds an instance for as long: only while most are free, so that
// clients that send slowly keep nobody from one. A chunked body has no length until it is whole,
// and guests of nur are told one.
bool Dispatcher::takes_early(const Request& request) {
  const std::optional<Route> route = route_of(request.path);
  const Function* const function = route ? registry_.find(route->name) : nullptr;
  if (function == nullptr || route->kind == Route::Kind::api) return false;
  switch (function->abi()) {
    case GuestAbi::nur:
      return !request.chunked && function->is_mostly_free();
    case GuestAbi::wasi:
      return function->is_mostly_free();
    case GuestAbi::handle:
      return function->asks_for_body() && function->is_mostly_free();
    case GuestAbi::typed:
      break;
  }
  return false;
}

std::optional<std::size_t> Dispatcher::body_bytes_max(const Request& request) {
  const std::optional<Route> route = route_of(request.path);
  const Function* const function = route ? registry_.find(route->name) : nullptr;
  if (function == nullptr) return std::nullopt;
  return function->limits().body_bytes_max;
}

void Dispatcher::receive(const Arrival& arrival, TimePoint now) {
  if (std::optional<Response> answer = refusal(arrival)) {
    arrival.exchange->respond(*std::move(answer));
    return;
  }
  const OnAccountOf account(context_.page, arrival.function->number());
  if (!waiting_.has(*arrival.function)) {
    Result<Lease> lease = arrival.function->acquire();
    if (lease) return start(arrival, *std::move(lease), now);
    // There is one to wait for only if somebody will give one back.
    if (lease.error().kind != ErrorKind::exhausted || scheduler_.kept() == 0) {
      arrival.exchange->respond(no_instance(context_, arrival, lease.error().message));
      return;
    }
  }
  make_way_soon();
  if (!waiting_.enter(arrival)) {
    ++turned_away_[arrival.function];
    arrival.exchange->respond(no_instance(
        context_, arrival,
        fmt::format("{} requests wait for one", arrival.function->limits().waiting_max)));
  }
}

void Dispatcher::start(const Arrival& arrival, Lease lease, TimePoint now) {
  Result<std::unique_ptr<GuestTask>> task = make_task(context_, arrival, std::move(lease));
  if (!task) {
    arrival.exchange->respond(answer_of(*arrival.function, task.error()));
  } else {
    if (arrival.started != nullptr) *arrival.started = context_.clock.now();
    (*task)->begin(arrival.deadline);
    scheduler_.start(*std::move(task), now);
  }
  admit_soon();
}

void Dispatcher::leave(const Arrival& arrival) {
  if (arrival.exchange->client_gone()) {
    arrival.exchange->respond(host_response(503, "the client has left"));
    return;
  }
  const Nanoseconds timeout = arrival.function->limits().time.timeout;
  arrival.exchange->respond(no_instance(
      context_, arrival, fmt::format("none became free within {}", format_duration(timeout))));
}

// An instance may be free.
void Dispatcher::admit_soon() {
  // Not now: whoever gave it back is in the middle of another request.
  if (!waiting_.empty() && !admission_.deadline()) admission_.set(context_.loop.now());
}

void Dispatcher::admit() {
  const TimePoint begin = context_.clock.now();
  for (Function* const function : waiting_.functions()) {
    while (const Arrival* const first = waiting_.first(*function)) {
      if (first->exchange->client_gone()) {
        leave(waiting_.take_first(*function));
        continue;
      }
      const OnAccountOf account(context_.page, function->number());
      Result<Lease> lease = function->acquire();
      if (!lease) {
        if (scheduler_.kept() > 0) break;
        // Nobody is left to give one back.
        const Arrival arrival = waiting_.take_first(*function);
        arrival.exchange->respond(no_instance(context_, arrival, lease.error().message));
        continue;
      }
      start(waiting_.take_first(*function), *std::move(lease), context_.clock.now());
      // The network has its turn before the next.
      if (context_.clock.now() - begin >= context_.quantum) return admit_soon();
    }
  }
}

void Dispatcher::make_way_soon() {
  if (making_way_.deadline()) return;
  making_way_.set(std::max(context_.loop.now(), made_way_at_ + kMakingWayPeriod));
}

void Dispatcher::make_way() {
  made_way_at_ = context_.loop.now();
  std::unordered_map<const Function*, std::size_t> wanted = std::exchange(turned_away_, {});
  for (const Function* const function : waiting_.functions()) {
    wanted[function] += waiting_.count(*function);
  }
  for (const auto& [function, count] : wanted) {
    // One that could have more of them is kept from it by what all have.
    scheduler_.make_way(function->is_full() ? function : nullptr, count);
  }
  if (!waiting_.empty()) make_way_soon();
}

}  // namespace nur
