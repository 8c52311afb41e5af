// One client's connection: bytes in, requests to the handler, answers out, in order.
//
//             whole request                 answer queued
//   reading ----------------> handling ----------------------> reading
//      |  refused, 408                 \  last answer            |
//      v                                v                        |  idle, timeout, error
//   closing  (answer on its way out) <---                        |
//      |  sent, unread input                                     v
//      +------------> lingering --------- FIN or 2 s ------> closed
//
// While an answer waits to be sent, or a request to be answered, nothing is read: the kernel's
// socket buffers are the only queue, and they push back on the client. The socket is watched
// edge-triggered, so a request on a kept connection costs one recv and one send.
//
// A handler that takes requests early is given them in the middle of their body; while it handles
// one, so much of the body is read as it has not taken up to a bound. What it answers in pieces is
// sent at once and held while the client does not take it. Such a request has a Streaming; others
// know nothing of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fd.h"
#include "host/net/event_loop.h"
#include "host/net/exchange.h"
#include "host/net/http_parser.h"
#include "host/net/http_response.h"
#include "host/net/output_queue.h"
#include "host/net/response_parser.h"
#include "host/net/socket_address.h"
#include "host/net/timer.h"

namespace nur {

struct HttpTimeouts {
  Milliseconds header{10'000};      // for the whole head, from its first byte (and for the first)
  Milliseconds keep_alive{15'000};  // between requests
  Milliseconds body_grace{5'000};   // until a body is held to its least rate
  Milliseconds body_idle{30'000};   // without a byte of a body
  Milliseconds send_idle{30'000};   // without a byte of an answer taken
  Milliseconds linger{2'000};       // reading on after the last answer
  // A body that on the whole comes slower, after its grace, or an answer that is taken slower,
  // after its idle time, is given up: who sends or takes a byte now and then holds a connection for
  // seconds, not for ever. The slowest modems had more.
  std::size_t bytes_per_second_min = 1 << 10;
};

struct ServerCounters {
  std::uint64_t accepted = 0;
  std::uint64_t turned_away = 0;  // 503 or 429: too many connections, no descriptor
  std::uint64_t requests = 0;     // given to the handler
  std::uint64_t refused = 0;      // answered by the front itself: malformed, too large, too slow
  std::uint64_t timeouts = 0;     // of any kind
  std::uint64_t abandoned = 0;    // the client left before its answer
  std::uint64_t given_up = 0;     // closed for the memory that its answer held
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t active = 0;  // connections open now

  ServerCounters& operator+=(const ServerCounters& other);
};

class Connection;

// Connections that wait for the same thing, the one that has waited longest in front. They link
// each other, so that going to wait costs no memory; each is in one list at most.
class ConnectionList {
 public:
  // nullptr when there is none.
  [[nodiscard]] Connection* longest() const { return first_; }
  void add(Connection& connection);
  void remove(Connection& connection);

 private:
  Connection* first_ = nullptr;
  Connection* last_ = nullptr;
};

// What the connections of one server share. Outlives them.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  // Calls connection.advance() in the loop's next turn.
  virtual void schedule(Connection& connection) = 0;
  // The connection is closed and answered; to be destroyed, but not during this call.
  virtual void on_closed(Connection& connection) = 0;
};

struct ConnectionContext {
  EventLoop& loop;
  RequestHandler& handler;
  ConnectionOwner& owner;
  HttpLimits limits;
  HttpTimeouts timeouts;
  ResponseWriter writer;
  ServerCounters& counters;
  // Where any connection receives to, for the length of one call; what is no whole request is
  // copied from here, so that a waiting connection holds no buffer.
  std::span<char> scratch;
  RecentHeads answer_heads;  // of guests
  bool draining = false;
  ConnectionList idle;     // waiting for a further request
  ConnectionList blocked;  // waiting to send
  // What those hold, and may hold together; above, the one that moved least recently is closed.
  std::size_t unsent_bytes = 0;
  std::size_t unsent_bytes_max = 0;
  std::size_t unsent_bytes_peak = 0;  // since they were last none
};

class Connection final : public EventHandler, public Exchange {
 public:
  struct Endpoints {
    std::string client;
    std::uint16_t client_port = 0;
    std::string server;
    std::uint16_t server_port = 0;
  };

  Connection(ConnectionContext& context, Fd socket, const Endpoints& endpoints);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Begins to read. Errors: those of EventLoop::watch.
  Result<void> start();
  // Answers `status` instead of reading, and closes.
  Result<void> start_turned_away(int status, std::string_view detail);

  // Goes on as far as it can without waiting.
  void advance();
  // Closes if nothing is under way, otherwise behind the answer.
  void drain();
  // Closes now. The exchange, if any, still waits for its answer, which is dropped.
  void close();
  void on_events(std::uint32_t events) override;
  [[nodiscard]] const Request& request() const override { return parser_.request(); }
  void respond(Response response) override;
  void respond_exactly(std::string bytes) override;
  bool respond_verbatim(std::string bytes) override;
  [[nodiscard]] bool client_gone() const override {
    return state_ == State::closed || was_refused_early_;
  }
  void watch(ExchangeWatcher* watcher) override;
  std::optional<std::size_t> read_body(std::span<char> into) override;
  [[nodiscard]] bool body_has_ended() const override { return !parser_.in_body(); }
  Result<void> begin(Response head, std::optional<std::uint64_t> length) override;
  void write(std::string_view bytes) override;
  Result<void> write_verbatim(std::string_view bytes) override;
  [[nodiscard]] std::size_t unsent_bytes() const override { return output_.bytes(); }
  [[nodiscard]] bool has_room() const override;
  void hold_up_to(std::size_t bytes) override;
  [[nodiscard]] std::uint64_t taken_bytes() const override;
  Result<void> end() override;
  void abort() override;

  [[nodiscard]] bool is_closed() const { return state_ == State::closed; }

  // The owner's: its place in the list of all, and what it was counted as.
  std::size_t place = 0;
  bool scheduled = false;
  bool turned_away = false;
  ClientKey client_key;

 private:
  enum class State { reading, handling, closing, lingering, closed };
  // What the timer stands for.
  enum class Waiting { nothing, first_request, next_request, head, body, send, lingering };

  // Of a request that is handled while its body comes, or answered in pieces.
  struct Streaming;

  void receive();
  void parse(std::string_view bytes, bool kept);
  void give_to_handler();
  void finish_request();
  // The body of a request that was given to the handler early is to be read on.
  [[nodiscard]] bool reads_body() const;
  [[nodiscard]] bool takes_early();
  void send_continue();
  Streaming& streaming();
  [[nodiscard]] bool answer_has_begun() const;
  [[nodiscard]] bool may_keep_alive() const;
  void tell_watcher();
  void send_piece();
  void look_for_room();
  void send_continue_if_expected(bool all_parsed);
  void refuse(int status, std::string_view detail);
  void queue(Response response, bool keep_alive);
  bool begin_answer();
  void end_answer(bool keep_alive);
  void on_end_of_input();
  bool flush();
  void discard_input();
  void finish();
  void wait_as_state_asks();
  void wait_for(Waiting what);
  void on_timeout();
  bool client_took_some();
  void count_unsent();
  // Answers wait that are to be sent before another request is parsed.
  [[nodiscard]] bool must_flush() const;
  [[nodiscard]] bool between_requests() const { return kept_.empty() && !parser_.in_body(); }

  ConnectionContext& context_;
  Fd socket_;
  RequestParser parser_;
  OutputQueue output_;
  std::string kept_;  // received and not parsed: less than a head and one receive
  Timer timer_;

  State state_ = State::reading;
  bool readable_ = false;           // there may be bytes in the socket
  bool input_ended_ = false;        // the client has sent FIN, and all before it was received
  bool fin_seen_ = false;           // epoll told of the FIN
  bool kept_untried_ = false;       // kept_ may hold a whole request
  bool watches_output_ = false;     // EPOLLOUT is asked for
  bool continued_ = false;          // "100 Continue" was sent for this request
  bool outstanding_ = false;        // the handler owes an answer
  bool was_offered_ = false;        // the handler was asked whether it takes this request early
  bool is_early_ = false;           // and has it, in the middle of its body
  bool was_refused_early_ = false;  // while the handler had it: its answer is for nobody
  bool in_handler_ = false;         // inside handle()
  bool must_linger_ = false;
  bool resets_ = false;  // behind the last answer, instead of an orderly end
  bool served_one_ = false;

  Waiting waiting_ = Waiting::nothing;
  TimePoint wait_began_{};
  TimePoint progress_at_{};
  std::size_t progress_bytes_ = 0;
  std::size_t unacknowledged_ = 0;  // of an answer, when it was last looked at
  std::size_t unsent_ = 0;          // counted in the context while waiting to send
  std::size_t discarded_ = 0;
  std::size_t gathered_ = 0;  // answers since all was sent
  std::unique_ptr<Streaming> streaming_;

  friend class ConnectionList;
  Connection* listed_before_ = nullptr;
  Connection* listed_behind_ = nullptr;
};

}  // namespace nur
