// A listener without HTTP: the bytes of each connection go to a handler, and its bytes come back.
//
//   open ----- end() ------> closing -- all is sent --> lingering -- FIN or 2 s --> closed
//     |  read_body: recv into the reader's own buffer
//     |  write_verbatim: send, and hold what the client does not take
//     idle, timeout, error --------------------------------------------------------> closed
//
// A connection is an Exchange that begins when it is accepted. Nothing is read before somebody
// wants it, and no byte is copied on the way in: the kernel's buffers push back on the client. A
// chunk costs one recv and one send. When the listener drains, what has come is still read and then
// the input ends, so that whoever answers can say its last words.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
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
#include "host/net/output_queue.h"
#include "host/net/timer.h"

namespace nur {

struct TcpOptions {
  // Of processes that share a socket: see ServerOptions.
  std::function<bool(std::size_t connections)> prefers_others;
  int accepts_per_turn = 64;
  // Above: closed as soon as accepted.
  std::size_t connections_max = 10'000;
  std::size_t connections_per_client = 10'000;
  // Held for clients that do not take it, of all together; above, who took nothing for longest is
  // closed.
  std::size_t unsent_bytes_max = std::size_t{256} << 20;
  Milliseconds idle{300'000};      // without a byte in either direction
  Milliseconds send_idle{30'000};  // without a byte taken of what waits
  // What waits for longer than that is given up when it is taken slower on the whole.
  std::size_t bytes_per_second_min = HttpTimeouts{}.bytes_per_second_min;
  Milliseconds linger{2'000};  // reading on behind the last byte
};

class TcpServer;

class TcpConnection final : public EventHandler, public Exchange {
 public:
  TcpConnection(TcpServer& server, Fd socket, const SocketAddress& client);
  ~TcpConnection() override;
  TcpConnection(const TcpConnection&) = delete;
  TcpConnection& operator=(const TcpConnection&) = delete;

  // Errors: those of EventLoop::watch.
  Result<void> start();
  // The input ends behind what has come.
  void drain();
  void close();
  void on_events(std::uint32_t events) override;

  // No head: method "TCP", target the address that listens.
  [[nodiscard]] const Request& request() const override { return request_; }
  void respond(Response) override { end_behind_output(); }
  bool respond_verbatim(std::string bytes) override;
  [[nodiscard]] bool client_gone() const override { return state_ == State::closed; }
  void watch(ExchangeWatcher* watcher) override;
  std::optional<std::size_t> read_body(std::span<char> into) override;
  [[nodiscard]] bool body_has_ended() const override { return input_ended_; }
  Result<void> begin(Response, std::optional<std::uint64_t>) override { return {}; }
  void write(std::string_view bytes) override;
  Result<void> write_verbatim(std::string_view bytes) override {
    write(bytes);
    return {};
  }
  [[nodiscard]] std::size_t unsent_bytes() const override { return output_.bytes(); }
  [[nodiscard]] std::uint64_t taken_bytes() const override;
  void finish_sending() override;
  Result<void> end() override {
    end_behind_output();
    return {};
  }
  void abort() override { end_behind_output(); }
  [[nodiscard]] bool is_raw() const override { return true; }

 private:
  friend class TcpServer;
  enum class State : std::uint8_t { open, closing, lingering, closed };

  void end_behind_output();
  void flush();
  void hold(std::string_view bytes);
  void count_unsent();
  void finish();
  void discard_input();
  void on_timeout();
  void tell_watcher();

  TcpServer& server_;
  Fd socket_;
  Request request_;
  OutputQueue output_;
  Timer timer_;
  ExchangeWatcher* watcher_ = nullptr;
  State state_ = State::open;
  bool outstanding_ = true;  // the handler has not ended it
  bool readable_ = false;
  bool fin_seen_ = false;
  bool input_ended_ = false;
  bool sends_no_more_ = false;  // FIN goes out behind the output
  bool is_over_room_ = false;
  TimePoint active_at_;
  std::uint64_t sent_ = 0;
  // Since something waits to be sent.
  TimePoint blocked_at_{};
  std::size_t taken_since_ = 0;
  std::size_t unacknowledged_ = 0;
  std::size_t unsent_ = 0;  // as counted by the server
  std::size_t discarded_ = 0;
  std::list<TcpConnection*>::iterator blocked_place_;
  bool is_blocked_ = false;

  // The server's.
  std::size_t place_ = 0;
  ClientKey client_key_;
};

class TcpServer final : private ConnectionAcceptor {
 public:
  // On a socket that listens already. `loop`, `handler` and `counters` outlive the server.
  static Result<std::unique_ptr<TcpServer>> adopt(EventLoop& loop, Fd listening, TcpOptions options,
                                                  RequestHandler& handler,
                                                  ServerCounters& counters);
  // Closes every connection. No exchange may be answered from here on.
  ~TcpServer() override;
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;

  // Stops accepting, ends the input of all, and calls `done` from the loop when the last one is
  // gone.
  void drain(std::function<void()> done);
  // Stops accepting and closes everything now.
  void stop();

  [[nodiscard]] const SocketAddress& address() const { return address_; }

 private:
  friend class TcpConnection;
  TcpServer(EventLoop& loop, TcpOptions options, RequestHandler& handler, ServerCounters& counters);

  void on_connection(Fd socket, const SocketAddress& client) override;
  bool on_descriptors_exhausted() override;
  bool prefers_others() override;
  [[nodiscard]] std::string_view answer_without_descriptor() const override { return ""; }
  // Closed, and ended by its handler.
  void on_closed(TcpConnection& connection);
  void take_turn();

  EventLoop& loop_;
  const TcpOptions options_;
  RequestHandler& handler_;
  ServerCounters& counters_;
  SocketAddress address_;
  std::string name_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::unique_ptr<TcpConnection>> connections_;
  std::unordered_map<ClientKey, std::size_t, ClientKeyHash> clients_;
  std::vector<std::unique_ptr<TcpConnection>> closed_;
  std::list<TcpConnection*> blocked_;  // who took nothing for longest in front
  std::size_t unsent_bytes_ = 0;
  bool draining_ = false;
  std::function<void()> drained_;
  Timer turn_;
};

}  // namespace nur
