// The HTTP front of one process: a listener and its connections.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "host/net/connection.h"
#include "host/net/event_loop.h"
#include "host/net/exchange.h"
#include "host/net/listener.h"

namespace nur {

struct ServerOptions {
  // Of processes that share a socket: whether one that has so many connections leaves the next one
  // to the others for a moment.
  std::function<bool(std::size_t connections)> prefers_others;
  std::string address = "127.0.0.1:8080";  // as parse_address() reads it
  ListenOptions listen;
  HttpLimits limits;
  HttpTimeouts timeouts;
  // Above: the connection that has been idle for longest is closed for a new one, or else the new
  // one is answered 503. Each costs a descriptor and 1 to 2 KiB, and 100 KiB at most while a head
  // is incomplete. Where descriptors are scarce there are fewer (connections_allowed).
  std::size_t connections_max = 30'000;
  // What the process may have (RLIMIT_NOFILE).
  std::size_t descriptors_max = 1'000'000;
  // Above, from one address (or IPv6 network of 64 bits): 429. So generous because a proxy's
  // clients all come from its address.
  std::size_t connections_per_client = 10'000;
  // Memory of answers that clients have not taken yet, of all together; 16 of the largest that
  // functions may give. Above, the client that took nothing for longest loses its connection.
  std::size_t unsent_bytes_max = std::size_t{256} << 20;
};

// Connections for which there are descriptors when a process may have so many: 64 or a tenth are
// left for everything else, and some for short answers to those who are turned away.
std::size_t connections_allowed(std::size_t descriptors_max);

class HttpServer final : private ConnectionAcceptor, private ConnectionOwner {
 public:
  // Listens on options.address. `loop` and `handler` outlive the server.
  // Errors: invalid_input (the address), exhausted, internal.
  static Result<std::unique_ptr<HttpServer>> open(EventLoop& loop, const ServerOptions& options,
                                                  RequestHandler& handler);
  // The same on a socket that listens already (non-blocking): inherited, or shared by processes.
  // Counts in `counters`, which outlive the server, when there are any.
  static Result<std::unique_ptr<HttpServer>> adopt(EventLoop& loop, Fd listening,
                                                   const ServerOptions& options,
                                                   RequestHandler& handler,
                                                   ServerCounters* counters = nullptr);
  // Closes every connection. No exchange may be answered from here on.
  ~HttpServer() override;
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Stops accepting, closes idle connections, answers what has begun with "Connection: close";
  // calls `done` from the loop when the last connection is gone. `done` may destroy the server.
  // Idle ones may stay for `idle`: a client that is about to send its next request is answered, and
  // told that it was the last, where closing at once would lose it.
  void drain(std::function<void()> done, Milliseconds idle = Milliseconds(0));
  // Of a server that drains: idle connections stay for so long from now on.
  void drain_idle_within(Milliseconds idle);
  // Stops accepting and closes everything now; requests being handled lose their client. Ends a
  // drain.
  void stop();

  [[nodiscard]] const SocketAddress& address() const { return address_; }
  [[nodiscard]] ServerCounters counters() const;

 private:
  HttpServer(EventLoop& loop, const ServerOptions& options, RequestHandler& handler,
             ServerCounters* counters);

  void on_connection(Fd socket, const SocketAddress& client) override;
  bool on_descriptors_exhausted() override;
  bool prefers_others() override;
  void turn_away(Fd socket, const Connection::Endpoints& endpoints, int status,
                 std::string_view detail);
  Connection& add(Fd socket, const Connection::Endpoints& endpoints);
  void schedule(Connection& connection) override;
  void on_closed(Connection& connection) override;
  bool close_the_idlest();
  void take_turn();

  EventLoop& loop_;
  const std::size_t connections_max_;
  const std::size_t connections_per_client_;
  const std::size_t turned_away_max_;
  const std::function<bool(std::size_t)> prefers_others_;
  std::vector<char> scratch_;
  ServerCounters own_counters_;
  ConnectionContext context_;
  SocketAddress address_;
  std::string server_host_;
  std::unique_ptr<Listener> listener_;

  std::vector<std::unique_ptr<Connection>> connections_;
  std::size_t turned_away_ = 0;  // of them
  // Of the others; a client is here as long as it has one.
  std::unordered_map<ClientKey, std::size_t, ClientKeyHash> clients_;
  // Work for the next turn; each holds a connection once at most.
  std::vector<Connection*> scheduled_;
  std::vector<std::unique_ptr<Connection>> closed_;
  bool drain_begins_ = false;
  std::function<void()> drained_;
  Timer idle_over_;
  Timer turn_;
};

}  // namespace nur
