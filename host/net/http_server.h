// The HTTP front of one process: a listener and its connections.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "host/net/connection.h"
#include "host/net/event_loop.h"
#include "host/net/exchange.h"
#include "host/net/listener.h"

namespace nur {

struct ServerOptions {
  std::string address = "127.0.0.1:8080";  // as parse_address() reads it
  ListenOptions listen;
  HttpLimits limits;
  HttpTimeouts timeouts;
  // Above: an idle connection is closed for a new one, or else the new one is answered 503. Each
  // costs a descriptor and about 2 KiB, and 100 KiB at most while a head is incomplete.
  std::size_t connections_max = 10'000;
};

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
  void drain(std::function<void()> done);
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
  void schedule(Connection& connection) override;
  void on_closed(Connection& connection) override;
  bool close_an_idle_connection();
  void take_turn();

  EventLoop& loop_;
  const std::size_t connections_max_;
  std::vector<char> scratch_;
  ServerCounters own_counters_;
  ConnectionContext context_;
  SocketAddress address_;
  std::string server_host_;
  std::unique_ptr<Listener> listener_;

  std::vector<std::unique_ptr<Connection>> connections_;
  std::size_t idle_search_ = 0;  // where to look for an idle connection next
  // Work for the next turn; each holds a connection once at most.
  std::vector<Connection*> scheduled_;
  std::vector<std::unique_ptr<Connection>> closed_;
  bool drain_begins_ = false;
  std::function<void()> drained_;
  Timer turn_;
};

}  // namespace nur
