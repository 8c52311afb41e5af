#include "host/net/connection.h"

#include <algorithm>
#include <cerrno>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <utility>

#include "base/check.h"
#include "host/net/response_parser.h"
#include "host/net/verbatim_stream.h"

namespace nur {
namespace {

constexpr std::uint32_t kInput = EPOLLIN | EPOLLRDHUP | EPOLLET;

// Answers to pipelined requests are gathered up to this size, then sent before the next is parsed.
constexpr std::size_t kGatheredBytesMax = 256 << 10;
// As many answers to pipelined requests are gathered at most.
constexpr std::size_t kGatheredAnswersMax = 32;
// Receives before other connections get their turn.
constexpr int kReceivesPerTurn = 8;
// Input thrown away after a refusal; the connection is never kept behind one. Sockets buffer a few
// MiB; a client that sends much more after our last byte does not read answers.
constexpr std::size_t kDiscardedBytesMax = 16 << 20;
// Of a body that comes while its request is handled: above, the socket is not read; and so much is
// taken before what is behind it moves up.
constexpr std::size_t kUntakenBodyBytesMax = 64 << 10;
constexpr std::size_t kTakenBodyBytesMax = 16 << 10;
// A connection between requests keeps at most this much of a buffer.
constexpr std::size_t kKeptCapacityMax = 4 << 10;

// Behind a crowd of slow readers the heap is full of holes that malloc would keep for ever.
void give_back_memory(std::size_t& peak) {
  constexpr std::size_t kWorthIt = 32 << 20;
  if (std::exchange(peak, 0) > kWorthIt) ::malloc_trim(0);
}

}  // namespace

struct Connection::Streaming {
  ExchangeWatcher* watcher = nullptr;
  std::size_t taken = 0;  // of request().body, and not forgotten yet
  std::size_t held_max = Exchange::kUnsentBytesMax;
  // There was no room for more, and since then never less than `room_below` waited.
  bool is_over_room = false;
  std::size_t room_below = 0;
  std::uint64_t sent = 0;  // of the answer

  bool head_sent = false;
  bool keep_alive = false;
  bool has_body = true;
  bool chunked = false;
  std::optional<std::uint64_t> left;  // of the length that the head says
  std::optional<VerbatimStream> verbatim;

  // An answer in pieces, of either kind; its head may still be held.
  [[nodiscard]] bool answers() const { return head_sent || verbatim; }
};

void ConnectionList::add(Connection& connection) {
  connection.listed_before_ = last_;
  connection.listed_behind_ = nullptr;
  (last_ == nullptr ? first_ : last_->listed_behind_) = &connection;
  last_ = &connection;
}

void ConnectionList::remove(Connection& connection) {
  Connection* const before = connection.listed_before_;
  Connection* const behind = connection.listed_behind_;
  (before == nullptr ? first_ : before->listed_behind_) = behind;
  (behind == nullptr ? last_ : behind->listed_before_) = before;
}

Connection::Connection(ConnectionContext& context, Fd socket, const Endpoints& endpoints)
    : context_(context),
      socket_(std::move(socket)),
      parser_(context.limits, &context.handler),
      timer_(context.loop.timers(), [this] { on_timeout(); }) {
  Request& request = parser_.request();
  request.client = endpoints.client;
  request.client_port = endpoints.client_port;
  request.server = endpoints.server;
  request.server_port = endpoints.server_port;
}

Connection::~Connection() {
  wait_for(Waiting::nothing);
  if (socket_.is_open()) context_.loop.unwatch(socket_.get(), *this);
}

Result<void> Connection::start() {
  NUR_TRY(context_.loop.watch(socket_.get(), kInput, *this));
  wait_as_state_asks();
  return {};
}

Result<void> Connection::start_turned_away(int status, std::string_view detail) {
  NUR_TRY(context_.loop.watch(socket_.get(), kInput, *this));
  refuse(status, detail);
  // Its request may be on the way; reading it is what keeps the answer from being reset.
  readable_ = true;
  advance();
  return {};
}

void Connection::on_events(std::uint32_t events) {
  if (state_ == State::closed) return;
  // In the lingering state our side is shut already, and HUP is only the client's FIN.
  if ((events & EPOLLERR) != 0 || ((events & EPOLLHUP) != 0 && state_ != State::lingering)) {
    return close();
  }
  if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) readable_ = true;
  if ((events & EPOLLRDHUP) != 0) fin_seen_ = true;
  advance();
}

void Connection::advance() {
  if (in_handler_) return;
  if (state_ == State::lingering) return discard_input();
  if (!flush() && !reads_body()) return wait_as_state_asks();

  int receives = 0;
  while (state_ == State::reading || reads_body()) {
    // Not tried again before there is an event: were there room by then, none would come.
    if (must_flush() && !flush()) return wait_as_state_asks();
    if (kept_untried_) {
      parse(kept_, /*kept=*/true);
    } else if (input_ended_) {
      on_end_of_input();
    } else if (!readable_) {
      break;
    } else if (receives++ == kReceivesPerTurn) {
      context_.owner.schedule(*this);
      break;
    } else {
      receive();
    }
  }
  if (state_ != State::closed && flush() && state_ == State::closing) return finish();
  wait_as_state_asks();
}

void Connection::receive() {
  const std::span<char> scratch = context_.scratch;
  const ssize_t count = ::recv(socket_.get(), scratch.data(), scratch.size(), MSG_DONTWAIT);
  if (count < 0) {
    if (errno == EINTR) return;
    readable_ = false;
    if (errno != EAGAIN && errno != EWOULDBLOCK) close();
    return;
  }
  if (count == 0) {
    readable_ = false;
    input_ended_ = true;
    return;
  }
  const auto bytes = static_cast<std::size_t>(count);
  // A stream that gave less than was asked for is empty (epoll(7)), unless its end is next.
  if (bytes < scratch.size() && !fin_seen_) readable_ = false;
  context_.counters.bytes_received += bytes;
  progress_at_ = context_.loop.now();
  progress_bytes_ += bytes;

  const std::string_view fresh(scratch.data(), bytes);
  if (kept_.empty()) return parse(fresh, /*kept=*/false);
  kept_ += fresh;
  parse(kept_, /*kept=*/true);
}

// Parses and has handled what `bytes` holds; they are kept_ itself, or else fresh. The remainder is
// in kept_ afterwards.
void Connection::parse(std::string_view bytes, bool kept) {
  std::size_t at = 0;
  kept_untried_ = false;
  while (state_ == State::reading || is_early_) {
    const RequestParser::Progress progress = parser_.parse(bytes.substr(at));
    at += progress.consumed;
    if (progress.step == RequestParser::Step::need_more) {
      if (is_early_) {
        tell_watcher();
      } else if (takes_early()) {
        is_early_ = true;
        give_to_handler();
      } else {
        send_continue_if_expected(at == bytes.size());
      }
      break;
    }
    if (progress.step == RequestParser::Step::refused) {
      const Refusal& refusal = parser_.refusal();
      refuse(refusal.status, refusal.detail);
      break;
    }
    if (is_early_) {
      is_early_ = false;
      tell_watcher();
      kept_untried_ = at < bytes.size();
      break;
    }
    give_to_handler();
    if (at == bytes.size()) break;
    if (state_ != State::reading || must_flush()) {
      kept_untried_ = true;
      break;
    }
  }
  if (kept) {
    kept_.erase(0, at);
  } else {
    kept_.assign(bytes.substr(at));
  }
}

bool Connection::must_flush() const {
  return gathered_ >= kGatheredAnswersMax || output_.bytes() > kGatheredBytesMax;
}

void Connection::send_continue_if_expected(bool all_parsed) {
  if (!parser_.in_body() || !parser_.expects_continue() || continued_) return;
  continued_ = true;
  // A client that has begun its body no longer waits for our word.
  if (all_parsed && parser_.request().body.empty()) {
    output_.tail() += "HTTP/1.1 100 Continue\r\n\r\n";
  }
}

void Connection::give_to_handler() {
  ++context_.counters.requests;
  served_one_ = true;
  outstanding_ = true;
  wait_for(Waiting::nothing);
  state_ = State::handling;
  in_handler_ = true;
  context_.handler.handle(*this);
  in_handler_ = false;
  if (outstanding_) return;
  finish_request();
  // Closed while it was being handled: its owner waits for us to return from here.
  if (state_ == State::closed) context_.owner.on_closed(*this);
}

// The request is answered, and what it had is given back.
void Connection::finish_request() {
  // Bytes of a body that nobody wants are not the next request.
  if (is_early_ || parser_.in_body()) must_linger_ = true;
  parser_.start_next();
  continued_ = was_offered_ = is_early_ = false;
  if (streaming_) streaming_.reset();
}

// False: nobody is there to be answered.
bool Connection::begin_answer() {
  NUR_CHECK(outstanding_);
  outstanding_ = false;
  if (streaming_) streaming_->watcher = nullptr;
  if (was_refused_early_ && state_ != State::closed) return false;
  if (state_ != State::closed) return true;
  if (!in_handler_) context_.owner.on_closed(*this);
  return false;
}

void Connection::end_answer(bool keep_alive) {
  state_ = keep_alive ? State::reading : State::closing;
  ++gathered_;
  // The parse loop that called the handler goes on from here.
  if (in_handler_) return;
  finish_request();
  if (!flush()) return wait_as_state_asks();
  if (state_ == State::closing) return finish();
  // In a turn of its own: whoever answers may be in the middle of another connection's request.
  if (kept_untried_ || readable_ || input_ended_) return context_.owner.schedule(*this);
  wait_as_state_asks();
}

void Connection::respond(Response response) {
  if (answer_has_begun()) return abort();
  if (!begin_answer()) return;
  if (const std::optional<std::string> defect = find_defect(response)) {
    response = host_response(502, "the function's answer cannot be sent: " + *defect);
  }
  const bool keep_alive = may_keep_alive() && !asks_to_close(response);
  queue(std::move(response), keep_alive);
  end_answer(keep_alive);
}

void Connection::respond_exactly(std::string bytes) {
  if (answer_has_begun()) return abort();
  if (!begin_answer()) return;
  output_.append(std::move(bytes));
  end_answer(/*keep_alive=*/false);
}

bool Connection::respond_verbatim(std::string bytes) {
  const std::string_view method = parser_.request().method;
  const Result<ParsedResponse> parsed = context_.answer_heads.parse(bytes, method);
  if (!parsed) {
    respond(host_response(502, parsed.error().message));
    return false;
  }
  const bool old_client = parser_.request().version_minor == 0;
  if (old_client && parsed->chunked) {
    HeadView view;
    parse_response(bytes, method, view);
    Response response;
    response.status = parsed->status;
    for (const FieldView& field : view.fields) {
      response.headers.push_back({std::string(field.name), std::string(field.value)});
    }
    response.body = decoded_body(bytes, *parsed);
    respond(std::move(response));
    return true;
  }
  if (!begin_answer()) return true;
  // A client of HTTP/1.0 keeps the connection only when told so, and these bytes are not ours.
  const bool keep_alive = parsed->keep_alive && may_keep_alive() && !old_client;
  std::string& out = output_.tail();
  const std::size_t begin = old_client ? parsed->head_begin : 0;
  out.append(bytes, begin, parsed->head_end - begin);
  if (!parsed->has_date) out += context_.writer.date_line();
  if (!keep_alive && !parsed->says_close) out += "Connection: close\r\n";
  output_.append(std::move(bytes), parsed->head_end, parsed->bytes);
  end_answer(keep_alive);
  return true;
}

bool Connection::may_keep_alive() const {
  return parser_.keep_alive() && !context_.draining && !parser_.in_body();
}

void Connection::queue(Response response, bool keep_alive) {
  const Request& request = parser_.request();
  context_.writer.write_head(response, {request.version_minor, keep_alive}, output_.tail());
  if (request.method == "HEAD" || has_no_body(response.status)) return;
  output_.append(std::move(response.body));
}

void Connection::refuse(int status, std::string_view detail) {
  ++context_.counters.refused;
  // A handler that has the request already finds its client gone.
  if (std::exchange(is_early_, false)) was_refused_early_ = true;
  if (answer_has_begun()) return close();
  Response response = host_response(status, detail);
  if (status == 503 || status == 429) response.headers.push_back({"Retry-After", "1"});
  context_.writer.write_head(response, {1, /*keep_alive=*/false}, output_.tail());
  output_.append(std::move(response.body));
  state_ = State::closing;
  must_linger_ = true;
  if (was_refused_early_) tell_watcher();
}

void Connection::on_end_of_input() {
  if (is_early_ || !between_requests()) {
    return refuse(400, "the connection ended inside a request");
  }
  state_ = State::closing;
}

// True: all is sent.
bool Connection::flush() {
  if (output_.empty()) {
    gathered_ = 0;
    return true;
  }
  std::size_t sent = 0;
  const OutputQueue::Flushed flushed = output_.flush(socket_.get(), sent);
  context_.counters.bytes_sent += sent;
  if (waiting_ == Waiting::send && sent > 0) {
    progress_at_ = context_.loop.now();
    unacknowledged_ += sent;
    context_.blocked.remove(*this);
    context_.blocked.add(*this);
  }
  const bool blocked = flushed == OutputQueue::Flushed::blocked;
  if (flushed == OutputQueue::Flushed::broken ||
      (blocked != watches_output_ &&
       !context_.loop.rewatch(socket_.get(), kInput | (blocked ? std::uint32_t{EPOLLOUT} : 0),
                              *this))) {
    close();
    return false;
  }
  watches_output_ = blocked;
  if (streaming_) {
    streaming_->sent += sent;
    if (streaming_->is_over_room && output_.bytes() <= streaming_->room_below) {
      streaming_->is_over_room = false;
      tell_watcher();
    }
  }
  if (!blocked) gathered_ = 0;
  return !blocked;
}

bool Connection::takes_early() {
  if (!parser_.in_body() || std::exchange(was_offered_, true)) return false;
  return context_.handler.takes_early(parser_.request());
}

bool Connection::reads_body() const {
  return is_early_ && state_ == State::handling &&
         parser_.request().body.size() - (streaming_ ? streaming_->taken : 0) <
             kUntakenBodyBytesMax;
}

Connection::Streaming& Connection::streaming() {
  if (!streaming_) streaming_ = std::make_unique<Streaming>();
  return *streaming_;
}

bool Connection::answer_has_begun() const { return streaming_ && streaming_->head_sent; }

void Connection::watch(ExchangeWatcher* watcher) {
  Streaming& stream = streaming();
  stream.watcher = watcher;
  stream.is_over_room = false;
  look_for_room();
}

bool Connection::has_room() const {
  const std::size_t unsent = output_.bytes();
  if (unsent <= kUnsentBytesMax) return true;
  // Those who take what is usual shall not lose their connections for those who may have more.
  return streaming_ && unsent <= streaming_->held_max &&
         context_.unsent_bytes <= context_.unsent_bytes_max / 2;
}

void Connection::hold_up_to(std::size_t bytes) {
  Streaming& stream = streaming();
  stream.held_max = std::max(stream.held_max, bytes);
}

std::uint64_t Connection::taken_bytes() const {
  if (!streaming_ || !socket_.is_open()) return 0;
  const std::uint64_t sent = streaming_->sent;
  return sent - std::min<std::uint64_t>(sent, unacknowledged_bytes(socket_.get()));
}

void Connection::look_for_room() {
  if (has_room()) return;
  const std::size_t unsent = output_.bytes();
  streaming_->is_over_room = true;
  streaming_->room_below =
      std::max(kUnsentBytesLow, unsent - std::min(unsent, 2 * kUnsentBytesMax));
}

void Connection::tell_watcher() {
  if (streaming_ && streaming_->watcher != nullptr) streaming_->watcher->on_exchange();
}

std::optional<std::size_t> Connection::read_body(std::span<char> into) {
  if (client_gone()) return 0;
  Streaming& stream = streaming();
  const std::string& body = parser_.request().body;
  const bool was_read = reads_body();
  const std::size_t count = body.copy(into.data(), into.size(), stream.taken);
  stream.taken += count;
  // Half of what is there at least, so that each byte is moved once at most.
  if (stream.taken >= std::max(kTakenBodyBytesMax, body.size() / 2) ||
      stream.taken == body.size()) {
    parser_.take_body(std::exchange(stream.taken, 0));
  }
  if (count > 0 || into.empty()) {
    if (!was_read && reads_body()) context_.owner.schedule(*this);
    return count;
  }
  if (body_has_ended()) return 0;
  if (parser_.expects_continue() && !continued_ && !answer_has_begun()) send_continue();
  return std::nullopt;
}

void Connection::send_continue() {
  continued_ = true;
  output_.tail() += "HTTP/1.1 100 Continue\r\n\r\n";
  send_piece();
}

// What was queued goes out as far as it can.
void Connection::send_piece() {
  // The parse loop that called the handler sends behind it.
  if (in_handler_ || state_ == State::closed) return;
  // The rest follows when the socket says so.
  if (!watches_output_) flush();
  if (streaming_) look_for_room();
  wait_as_state_asks();
}

Result<void> Connection::begin(Response head, std::optional<std::uint64_t> length) {
  Streaming& stream = streaming();
  NUR_CHECK(outstanding_ && !stream.answers());
  if (client_gone()) return {};
  if (const std::optional<std::string> defect = find_defect(head)) {
    return fail(ErrorKind::invalid_input, "the function's answer cannot be sent: {}", *defect);
  }
  const Request& request = parser_.request();
  using BodyEnd = ResponseWriter::BodyEnd;
  const bool old_client = request.version_minor == 0;
  BodyEnd body_end = length ? BodyEnd::length : BodyEnd::chunked;
  if (!length && old_client) body_end = BodyEnd::close;
  stream.head_sent = true;
  stream.has_body = request.method != "HEAD" && !has_no_body(head.status);
  stream.chunked = body_end == BodyEnd::chunked;
  stream.left = length;
  stream.keep_alive = may_keep_alive() && !asks_to_close(head) && body_end != BodyEnd::close;
  context_.writer.write_head(head,
                             {.version_minor = request.version_minor,
                              .keep_alive = stream.keep_alive,
                              .end = body_end,
                              .length = length.value_or(0)},
                             output_.tail());
  send_piece();
  return {};
}

void Connection::write(std::string_view bytes) {
  if (client_gone() || bytes.empty()) return;
  Streaming& stream = streaming();
  NUR_CHECK(stream.head_sent && !stream.verbatim);
  if (stream.left) {
    bytes = bytes.substr(0, std::min<std::uint64_t>(bytes.size(), *stream.left));
    *stream.left -= bytes.size();
  }
  if (!stream.has_body || bytes.empty()) return;
  if (stream.chunked) output_.tail() += fmt::format("{:x}\r\n", bytes.size());
  output_.append(std::string(bytes));
  if (stream.chunked) output_.tail() += "\r\n";
  send_piece();
}

Result<void> Connection::write_verbatim(std::string_view bytes) {
  if (client_gone() || bytes.empty()) return {};
  Streaming& stream = streaming();
  if (!stream.verbatim) {
    const Request& request = parser_.request();
    NUR_CHECK(outstanding_ && !stream.answers());
    stream.verbatim.emplace(VerbatimStream::Client{.method = std::string(request.method),
                                                   .old = request.version_minor == 0,
                                                   .keep_alive = may_keep_alive()});
  }
  std::string out;
  const Result<void> written = stream.verbatim->write(bytes, context_.writer, out);
  stream.head_sent = stream.verbatim->has_begun();
  if (!out.empty()) {
    output_.append(std::move(out));
    send_piece();
  }
  return written;
}

Result<void> Connection::end() {
  if (client_gone()) {
    begin_answer();
    return {};
  }
  Streaming& stream = streaming();
  NUR_CHECK(stream.answers());
  bool keep_alive = stream.keep_alive;
  if (stream.verbatim) {
    NUR_TRY(stream.verbatim->finish());
    keep_alive = stream.verbatim->keeps_alive();
  } else if (stream.has_body && stream.left.value_or(0) > 0) {
    return fail(ErrorKind::invalid_input, "the answer has {} bytes less than it promised",
                *stream.left);
  } else if (stream.has_body && stream.chunked) {
    output_.tail() += "0\r\n\r\n";
  }
  if (begin_answer()) end_answer(keep_alive && !context_.draining);
  return {};
}

void Connection::abort() {
  if (answer_has_begun()) {
    const Streaming& stream = streaming();
    const bool until_close = stream.has_body && !stream.chunked && !stream.left;
    resets_ = stream.verbatim ? stream.verbatim->ends_with_connection() : until_close;
  }
  if (begin_answer()) end_answer(/*keep_alive=*/false);
}

// The last answer is sent.
void Connection::finish() {
  if (resets_) {
    // An orderly end would make what was cut off look whole.
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return close();
  }
  // Closing a socket with unread input resets the connection, and the reset may overtake the
  // answer.
  const bool unread = must_linger_ || !kept_.empty() || readable_;
  if (input_ended_ || !unread) return close();
  ::shutdown(socket_.get(), SHUT_WR);
  state_ = State::lingering;
  kept_.clear();
  wait_as_state_asks();
  // Not now: the scratch buffer may be another connection's, whose handler has answered us.
  context_.owner.schedule(*this);
}

void Connection::discard_input() {
  const std::span<char> scratch = context_.scratch;
  for (int i = 0; i < kReceivesPerTurn; ++i) {
    const ssize_t count = ::recv(socket_.get(), scratch.data(), scratch.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (count <= 0) return close();
    discarded_ += static_cast<std::size_t>(count);
    if (discarded_ > kDiscardedBytesMax) return close();
  }
  context_.owner.schedule(*this);
}

void Connection::drain() {
  if (state_ != State::reading || in_handler_) return;
  if (!between_requests()) return;
  // A request that came before we said a word of closing is still answered.
  readable_ = true;
  advance();
  if (state_ != State::reading || !between_requests()) return;
  if (output_.empty()) return close();
  state_ = State::closing;
}

void Connection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  context_.loop.unwatch(socket_.get(), *this);
  socket_.reset();
  output_.clear();
  wait_for(Waiting::nothing);
  if (outstanding_) {
    ++context_.counters.abandoned;
    tell_watcher();
  } else if (!in_handler_) {
    context_.owner.on_closed(*this);
  }
}

void Connection::wait_as_state_asks() {
  switch (state_) {
    case State::closed:
      return;
    case State::lingering:
      return wait_for(Waiting::lingering);
    case State::handling:
    case State::closing:
    case State::reading:
      break;
  }
  if (!output_.empty()) {
    wait_for(Waiting::send);
    return count_unsent();
  }
  // How long a request may be handled is for its handler to say.
  if (state_ != State::reading) {
    return wait_for(reads_body() ? Waiting::body : Waiting::nothing);
  }
  if (parser_.in_body()) return wait_for(Waiting::body);
  if (!kept_.empty()) return wait_for(Waiting::head);
  parser_.release_buffers();
  if (kept_.capacity() > kKeptCapacityMax) kept_.shrink_to_fit();
  wait_for(served_one_ ? Waiting::next_request : Waiting::first_request);
}

// May close any connection that waits to send, this one, too.
void Connection::count_unsent() {
  const std::size_t unsent = output_.held_bytes();
  context_.unsent_bytes += unsent - unsent_;
  unsent_ = unsent;
  context_.unsent_bytes_peak = std::max(context_.unsent_bytes_peak, context_.unsent_bytes);
  while (context_.unsent_bytes > context_.unsent_bytes_max) {
    ++context_.counters.given_up;
    context_.blocked.longest()->close();
  }
}

void Connection::wait_for(Waiting what) {
  const HttpTimeouts& timeouts = context_.timeouts;
  if (what != waiting_) {
    if (waiting_ == Waiting::next_request) context_.idle.remove(*this);
    if (waiting_ == Waiting::send) {
      context_.blocked.remove(*this);
      context_.unsent_bytes -= std::exchange(unsent_, 0);
      if (context_.unsent_bytes == 0) give_back_memory(context_.unsent_bytes_peak);
    }
    if (what == Waiting::next_request) context_.idle.add(*this);
    if (what == Waiting::send) context_.blocked.add(*this);
    waiting_ = what;
    wait_began_ = progress_at_ = context_.loop.now();
    progress_bytes_ = 0;
    if (what == Waiting::send) unacknowledged_ = unacknowledged_bytes(socket_.get());
  }
  const auto by_progress = [&](Milliseconds grace, Milliseconds idle) {
    const Milliseconds earned(progress_bytes_ * 1000 / timeouts.bytes_per_second_min);
    return std::min(progress_at_ + idle, wait_began_ + grace + earned);
  };
  switch (what) {
    case Waiting::nothing:
      return timer_.clear();
    case Waiting::first_request:
    case Waiting::head:
      return timer_.set(wait_began_ + timeouts.header);
    case Waiting::next_request:
      return timer_.set(wait_began_ + timeouts.keep_alive);
    case Waiting::body:
      return timer_.set(by_progress(timeouts.body_grace, timeouts.body_idle));
    case Waiting::send:
      return timer_.set(by_progress(timeouts.send_idle, timeouts.send_idle));
    case Waiting::lingering:
      return timer_.set(wait_began_ + timeouts.linger);
  }
}

// Whether the client has acknowledged more of an answer than it was known to, and is quick enough
// on the whole. The kernel may hold MiBs of it and wants no more until much of that has gone, so
// that a slow but honest reader looks like one that stands still.
bool Connection::client_took_some() {
  const std::size_t held = unacknowledged_bytes(socket_.get());
  if (held >= unacknowledged_) return false;
  progress_bytes_ += unacknowledged_ - held;
  unacknowledged_ = held;
  progress_at_ = context_.loop.now();
  wait_for(Waiting::send);
  return *timer_.deadline() > context_.loop.now();
}

void Connection::on_timeout() {
  if (waiting_ == Waiting::send && client_took_some()) return;
  ++context_.counters.timeouts;
  switch (waiting_) {
    case Waiting::head:
      refuse(408, "the request's head did not come in time");
      return advance();
    case Waiting::body:
      refuse(408, "the request's body did not come in time");
      return advance();
    case Waiting::nothing:
    case Waiting::first_request:
    case Waiting::next_request:
    case Waiting::send:
    case Waiting::lingering:
      return close();
  }
}

}  // namespace nur
