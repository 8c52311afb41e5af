#include "host/net/http_server.h"

#include <algorithm>
#include <utility>

#include "base/file.h"

namespace nur {
namespace {

// One receive: a socket's usual fill, and many pipelined requests.
constexpr std::size_t kScratchBytes = 64 << 10;
// Connections above the limits that are told so properly; beyond that they get a bare answer.
constexpr std::size_t kTurnedAwayMax = 128;
// Descriptors that no connection takes: files, functions, sockets of the process itself.
constexpr std::size_t kReservedDescriptors = 64;

constexpr std::string_view kTooMany = "too many connections";
constexpr std::string_view kTooManyOfOne = "too many connections from this address";

std::size_t turned_away_allowed(std::size_t descriptors) {
  return std::clamp<std::size_t>(descriptors / 16, 1, kTurnedAwayMax);
}

}  // namespace

std::size_t connections_allowed(std::size_t descriptors) {
  const std::size_t reserved = std::max(kReservedDescriptors, descriptors / 10);
  const std::size_t taken = reserved + turned_away_allowed(descriptors);
  return descriptors > taken ? descriptors - taken : 1;
}

Result<std::unique_ptr<HttpServer>> HttpServer::open(EventLoop& loop, const ServerOptions& options,
                                                     RequestHandler& handler) {
  const SocketAddress address = NUR_TRY(parse_address(options.address));
  Fd listening = NUR_TRY(listen_on(address, options.listen));
  return adopt(loop, std::move(listening), options, handler);
}

Result<std::unique_ptr<HttpServer>> HttpServer::adopt(EventLoop& loop, Fd listening,
                                                      const ServerOptions& options,
                                                      RequestHandler& handler,
                                                      ServerCounters* counters) {
  std::unique_ptr<HttpServer> made(new HttpServer(loop, options, handler, counters));
  made->listener_ =
      NUR_TRY(Listener::start(loop, std::move(listening), *made, options.listen.accepts_per_turn));
  made->address_ = made->listener_->address();
  made->server_host_ = made->address_.host();
  return made;
}

HttpServer::HttpServer(EventLoop& loop, const ServerOptions& options, RequestHandler& handler,
                       ServerCounters* counters)
    : loop_(loop),
      connections_max_(
          std::min(options.connections_max, connections_allowed(options.descriptors_max))),
      connections_per_client_(options.connections_per_client),
      turned_away_max_(turned_away_allowed(options.descriptors_max)),
      prefers_others_(options.prefers_others),
      scratch_(kScratchBytes),
      context_{.loop = loop,
               .handler = handler,
               .owner = *this,
               .limits = options.limits,
               .timeouts = options.timeouts,
               .writer = {},
               .counters = counters != nullptr ? *counters : own_counters_,
               .scratch = scratch_,
               .answer_heads = {},
               .draining = false,
               .idle = {},
               .blocked = {},
               .unsent_bytes = 0,
               .unsent_bytes_max = options.unsent_bytes_max,
               .unsent_bytes_peak = 0},
      idle_over_(loop.timers(), [this] { drain_idle_within(Milliseconds(0)); }),
      turn_(loop.timers(), [this] { take_turn(); }) {}

HttpServer::~HttpServer() = default;

ServerCounters& ServerCounters::operator+=(const ServerCounters& other) {
  accepted += other.accepted;
  turned_away += other.turned_away;
  requests += other.requests;
  refused += other.refused;
  timeouts += other.timeouts;
  abandoned += other.abandoned;
  given_up += other.given_up;
  bytes_received += other.bytes_received;
  bytes_sent += other.bytes_sent;
  active += other.active;
  return *this;
}

ServerCounters HttpServer::counters() const {
  ServerCounters counters = context_.counters;
  counters.active = connections_.size();
  return counters;
}

bool HttpServer::prefers_others() {
  return prefers_others_ && prefers_others_(connections_.size());
}

void HttpServer::on_connection(Fd socket, const SocketAddress& client) {
  ++context_.counters.accepted;
  Connection::Endpoints endpoints{client.host(), client.port(), server_host_, address_.port()};
  if (address_.is_wildcard()) {
    SocketAddress local;
    local.bytes = sizeof local.storage;
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&local.storage), &local.bytes) ==
        0) {
      endpoints.server = local.host();
    }
  }

  const ClientKey key = client_key(client);
  const auto known = clients_.find(key);
  if (known != clients_.end() && known->second >= connections_per_client_) {
    return turn_away(std::move(socket), endpoints, 429, kTooManyOfOne);
  }
  if (connections_.size() - turned_away_ >= connections_max_ && !close_the_idlest()) {
    return turn_away(std::move(socket), endpoints, 503, kTooMany);
  }
  Connection& connection = add(std::move(socket), endpoints);
  connection.client_key = key;
  ++clients_[key];
  // The system has no room for another watch; there is nobody to tell but the client.
  if (!connection.start()) connection.close();
}

Connection& HttpServer::add(Fd socket, const Connection::Endpoints& endpoints) {
  connections_.push_back(std::make_unique<Connection>(context_, std::move(socket), endpoints));
  connections_.back()->place = connections_.size() - 1;
  return *connections_.back();
}

void HttpServer::turn_away(Fd socket, const Connection::Endpoints& endpoints, int status,
                           std::string_view detail) {
  ++context_.counters.turned_away;
  if (turned_away_ >= turned_away_max_) {
    std::string answer;
    const Response response = host_response(status, detail);
    context_.writer.write_head(response, {1, /*keep_alive=*/false}, answer);
    return answer_and_close(std::move(socket), answer + response.body);
  }
  Connection& connection = add(std::move(socket), endpoints);
  connection.turned_away = true;
  ++turned_away_;
  if (!connection.start_turned_away(status, detail)) connection.close();
}

bool HttpServer::on_descriptors_exhausted() {
  if (close_the_idlest()) return true;
  ++context_.counters.accepted;
  ++context_.counters.turned_away;
  return false;
}

bool HttpServer::close_the_idlest() {
  Connection* const idlest = context_.idle.longest();
  if (idlest != nullptr) idlest->close();
  return idlest != nullptr;
}

void HttpServer::schedule(Connection& connection) {
  if (std::exchange(connection.scheduled, true)) return;
  scheduled_.push_back(&connection);
  turn_.set(loop_.now());
}

void HttpServer::on_closed(Connection& connection) {
  if (connection.turned_away) {
    --turned_away_;
  } else if (const auto client = clients_.find(connection.client_key); --client->second == 0) {
    clients_.erase(client);
  }
  const std::size_t place = connection.place;
  closed_.push_back(std::move(connections_[place]));
  if (place + 1 != connections_.size()) {
    connections_[place] = std::move(connections_.back());
    connections_[place]->place = place;
  }
  connections_.pop_back();
  context_.counters.active = connections_.size();
  turn_.set(loop_.now());
}

void HttpServer::take_turn() {
  if (std::exchange(drain_begins_, false)) {
    std::vector<Connection*> open;
    for (const std::unique_ptr<Connection>& connection : connections_) {
      open.push_back(connection.get());
    }
    // None is destroyed before the end of this turn.
    for (Connection* connection : open) connection->drain();
  }
  std::vector<Connection*> scheduled;
  scheduled.swap(scheduled_);
  for (Connection* connection : scheduled) {
    connection->scheduled = false;
    connection->advance();
  }
  // One may have been scheduled and closed since; from here on it is gone.
  std::erase_if(scheduled_, [](const Connection* connection) { return connection->is_closed(); });
  closed_.clear();
  if (connections_.empty() && drained_) loop_.post(std::exchange(drained_, nullptr));
}

void HttpServer::drain(std::function<void()> done, Milliseconds idle) {
  if (listener_) listener_->accept_waiting();
  listener_.reset();
  context_.draining = true;
  drained_ = std::move(done);
  drain_idle_within(idle);
}

void HttpServer::drain_idle_within(Milliseconds idle) {
  if (idle > Milliseconds(0)) {
    idle_over_.set(loop_.now() + idle);
  } else {
    // Not now: we may be inside a handler, whose request lies in the scratch buffer.
    drain_begins_ = true;
    idle_over_.clear();
  }
  turn_.set(loop_.now());
}

void HttpServer::stop() {
  listener_.reset();
  context_.draining = true;
  for (std::size_t i = connections_.size(); i-- > 0;) connections_[i]->close();
  turn_.set(loop_.now());
}

}  // namespace nur
