// A listening TCP socket and the connections that come in.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "host/net/event_loop.h"
#include "host/net/socket_address.h"
#include "host/net/timer.h"

namespace nur {

struct ListenOptions {
  // Several processes listen on one address and the kernel spreads connections over them.
  bool reuse_port = false;
  // Connections completed by the kernel and not yet accepted. A short queue costs tail latency when
  // many arrive at once (the kernel caps it at net.core.somaxconn).
  int backlog = 4096;
  // Connections accepted before other events get their turn. One, where several processes share the
  // socket: the first to wake up would take a whole burst for itself.
  int accepts_per_turn = 64;
};

// A bound, listening, non-blocking socket. Errors: invalid_input (no such local address, address in
// use, no permission for the port), exhausted, internal; the message names the address.
Result<Fd> listen_on(const SocketAddress& address, const ListenOptions& options = {});

class ConnectionAcceptor {
 public:
  virtual ~ConnectionAcceptor() = default;
  virtual void on_connection(Fd socket, const SocketAddress& client) = 0;
  // There is no descriptor left for a connection that waits. Returns whether one was given back;
  // if not, the connection is answered 503.
  virtual bool on_descriptors_exhausted() = 0;
  // What such a connection is told instead.
  [[nodiscard]] virtual std::string_view answer_without_descriptor() const;
  // Whether another process that shares the socket should have the chance to accept first.
  virtual bool prefers_others() { return false; }
};

class Listener final : public EventHandler {
 public:
  // Starts accepting at once. `socket` may be shared with other processes: each connection then
  // wakes one of them. `acceptor` and `loop` outlive the listener. Errors: internal; exhausted.
  static Result<std::unique_ptr<Listener>> start(EventLoop& loop, Fd socket,
                                                 ConnectionAcceptor& acceptor,
                                                 int accepts_per_turn);
  ~Listener() override;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Where it listens; has the real port when port 0 was asked for.
  [[nodiscard]] const SocketAddress& address() const { return address_; }

  // Accepts whoever waits now: they connected before the listener ends, and would be reset.
  void accept_waiting();

  void on_events(std::uint32_t events) override;

 private:
  Listener(EventLoop& loop, Fd socket, const SocketAddress& address, ConnectionAcceptor& acceptor,
           int accepts_per_turn);
  Result<void> resume();
  void pause();
  // Closed when there is none; errno says why.
  Fd accept_one(SocketAddress& client);
  bool accept_with_reserve();

  EventLoop& loop_;
  Fd socket_;
  SocketAddress address_;
  ConnectionAcceptor& acceptor_;
  const int accepts_per_turn_;
  bool gave_way_ = false;  // and has not accepted since
  // Given up for the moment it takes to accept and refuse a connection when there is no other.
  Fd reserve_;
  Timer resume_;
};

// Sends `answer` on a socket that gets no Connection of its own, and closes it. What the client has
// sent so far is read first, so that closing does not destroy the answer on its way (RFC
// 9112, 9.6).
void answer_and_close(Fd socket, std::string_view answer);

}  // namespace nur
