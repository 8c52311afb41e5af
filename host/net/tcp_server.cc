#include "host/net/tcp_server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <utility>

#include "base/check.h"
#include "base/file.h"

namespace nur {
namespace {

// Edge-triggered both ways, for good: the kernel tells of room only when a send found none.
constexpr std::uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

// Input thrown away behind the last byte; a client that sends on does not care for it.
constexpr std::size_t kDiscardedBytesMax = 16 << 20;

}  // namespace

TcpConnection::TcpConnection(TcpServer& server, Fd socket, const SocketAddress& client)
    : server_(server),
      socket_(std::move(socket)),
      timer_(server.loop_.timers(), [this] { on_timeout(); }),
      active_at_(server.loop_.now()) {
  request_.method = "TCP";
  request_.target = request_.path = server.name_;
  request_.client = client.host();
  request_.client_port = client.port();
  request_.server = server.address_.host();
  request_.server_port = server.address_.port();
}

TcpConnection::~TcpConnection() {
  if (socket_.is_open()) server_.loop_.unwatch(socket_.get(), *this);
}

Result<void> TcpConnection::start() {
  timer_.set(active_at_ + server_.options_.idle);
  return server_.loop_.watch(socket_.get(), kEvents, *this);
}

void TcpConnection::tell_watcher() {
  if (watcher_ != nullptr) watcher_->on_exchange();
}

void TcpConnection::watch(ExchangeWatcher* watcher) {
  watcher_ = watcher;
  is_over_room_ = unsent_bytes() > kUnsentBytesMax;
}

void TcpConnection::on_events(std::uint32_t events) {
  if (state_ == State::closed) return;
  // Both directions have ended: the client's FIN may still be unread behind its last bytes.
  const bool both_ended = (events & EPOLLHUP) != 0 && !sends_no_more_;
  if ((events & EPOLLERR) != 0 || both_ended) return close();
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0) readable_ = true;
  if ((events & EPOLLRDHUP) != 0) fin_seen_ = true;
  if (state_ == State::lingering) return discard_input();
  if (!output_.empty() && (events & EPOLLOUT) != 0) flush();
  if (state_ == State::open && readable_) tell_watcher();
}

std::optional<std::size_t> TcpConnection::read_body(std::span<char> into) {
  while (!input_ended_ && state_ == State::open && readable_) {
    const ssize_t count = ::recv(socket_.get(), into.data(), into.size(), MSG_DONTWAIT);
    if (count > 0) {
      const auto bytes = static_cast<std::size_t>(count);
      // A stream that gave less than was asked for is empty (epoll(7)), unless its end is next.
      if (bytes < into.size() && !fin_seen_) readable_ = false;
      server_.counters_.bytes_received += bytes;
      active_at_ = server_.loop_.now();
      return bytes;
    }
    if (count == 0) {
      input_ended_ = true;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      readable_ = false;
    } else if (errno != EINTR) {
      close();
    }
  }
  if (server_.draining_) input_ended_ = true;
  if (input_ended_ || state_ != State::open) return 0;
  return std::nullopt;
}

void TcpConnection::write(std::string_view bytes) {
  if (state_ != State::open || sends_no_more_ || bytes.empty()) return;
  if (output_.empty()) {
    const ssize_t count =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) {
      server_.counters_.bytes_sent += static_cast<std::size_t>(count);
      sent_ += static_cast<std::size_t>(count);
      active_at_ = server_.loop_.now();
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
      return close();
    }
    if (bytes.empty()) return;
  }
  hold(bytes);
}

void TcpConnection::hold(std::string_view bytes) {
  const bool was_empty = output_.empty();
  output_.append(std::string(bytes));
  if (was_empty) {
    unacknowledged_ = unacknowledged_bytes(socket_.get());
    taken_since_ = 0;
    active_at_ = blocked_at_ = server_.loop_.now();
    timer_.set(active_at_ + server_.options_.send_idle);
    // What was found full may have room again by now: then nothing would tell.
    flush();
  }
  if (unsent_bytes() > kUnsentBytesMax) is_over_room_ = true;
  count_unsent();
}

bool TcpConnection::respond_verbatim(std::string bytes) {
  write(bytes);
  end_behind_output();
  return true;
}

void TcpConnection::flush() {
  std::size_t sent = 0;
  const OutputQueue::Flushed flushed = output_.flush(socket_.get(), sent);
  server_.counters_.bytes_sent += sent;
  sent_ += sent;
  if (flushed == OutputQueue::Flushed::broken) return close();
  if (sent > 0) {
    active_at_ = server_.loop_.now();
    unacknowledged_ += sent;
    if (is_blocked_) {
      server_.blocked_.splice(server_.blocked_.end(), server_.blocked_, blocked_place_);
    }
  }
  count_unsent();
  if (state_ == State::closed) return;
  if (is_over_room_ && unsent_bytes() <= kUnsentBytesLow) {
    is_over_room_ = false;
    tell_watcher();
  }
  if (!output_.empty()) return;
  timer_.set(server_.loop_.now() + server_.options_.idle);
  if (state_ == State::closing || sends_no_more_) finish();
}

// May close any connection that waits to send, this one, too.
void TcpConnection::count_unsent() {
  const std::size_t unsent = output_.empty() ? 0 : output_.held_bytes();
  server_.unsent_bytes_ += unsent - unsent_;
  unsent_ = unsent;
  if ((unsent > 0) != is_blocked_) {
    is_blocked_ = unsent > 0;
    if (is_blocked_) {
      blocked_place_ = server_.blocked_.insert(server_.blocked_.end(), this);
    } else {
      server_.blocked_.erase(blocked_place_);
    }
  }
  while (server_.unsent_bytes_ > server_.options_.unsent_bytes_max) {
    ++server_.counters_.given_up;
    server_.blocked_.front()->close();
  }
}

void TcpConnection::finish_sending() {
  if (state_ != State::open || std::exchange(sends_no_more_, true)) return;
  if (output_.empty()) finish();
}

void TcpConnection::end_behind_output() {
  NUR_CHECK(outstanding_);
  outstanding_ = false;
  watcher_ = nullptr;
  if (state_ == State::closed) return server_.on_closed(*this);
  state_ = State::closing;
  if (output_.empty()) finish();
}

// All is sent that will be.
void TcpConnection::finish() {
  ::shutdown(socket_.get(), SHUT_WR);
  sends_no_more_ = true;
  if (state_ != State::closing) return;
  // Closing a socket with unread input resets the connection, and the reset may overtake the last
  // bytes.
  if (input_ended_ && !readable_) return close();
  state_ = State::lingering;
  timer_.set(server_.loop_.now() + server_.options_.linger);
  discard_input();
}

void TcpConnection::discard_input() {
  std::array<char, 16 << 10> scratch;
  while (discarded_ <= kDiscardedBytesMax) {
    const ssize_t count = ::recv(socket_.get(), scratch.data(), scratch.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (count <= 0) break;
    discarded_ += static_cast<std::size_t>(count);
  }
  close();
}

void TcpConnection::drain() {
  if (state_ == State::open) tell_watcher();
}

void TcpConnection::on_timeout() {
  const TimePoint now = server_.loop_.now();
  const TcpOptions& options = server_.options_;
  if (state_ == State::lingering) return close();
  TimePoint deadline = active_at_ + options.idle;
  if (!output_.empty()) {
    // The kernel may hold MiBs that a slow but honest reader takes one by one.
    const std::size_t held = unacknowledged_bytes(socket_.get());
    if (held < unacknowledged_) {
      taken_since_ += unacknowledged_ - held;
      unacknowledged_ = held;
      active_at_ = now;
    }
    const Milliseconds earned(taken_since_ * 1000 / options.bytes_per_second_min);
    deadline = std::min(active_at_, blocked_at_ + earned) + options.send_idle;
  }
  if (now < deadline) return timer_.set(deadline);
  ++server_.counters_.timeouts;
  close();
}

std::uint64_t TcpConnection::taken_bytes() const {
  if (!socket_.is_open()) return 0;
  return sent_ - std::min<std::uint64_t>(sent_, unacknowledged_bytes(socket_.get()));
}

void TcpConnection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  server_.loop_.unwatch(socket_.get(), *this);
  socket_.reset();
  output_.clear();
  timer_.clear();
  count_unsent();
  if (outstanding_) {
    ++server_.counters_.abandoned;
    tell_watcher();
  } else {
    server_.on_closed(*this);
  }
}

Result<std::unique_ptr<TcpServer>> TcpServer::adopt(EventLoop& loop, Fd listening,
                                                    TcpOptions options, RequestHandler& handler,
                                                    ServerCounters& counters) {
  const int accepts_per_turn = options.accepts_per_turn;
  std::unique_ptr<TcpServer> made(new TcpServer(loop, std::move(options), handler, counters));
  made->listener_ = NUR_TRY(Listener::start(loop, std::move(listening), *made, accepts_per_turn));
  made->address_ = made->listener_->address();
  made->name_ = to_string(made->address_);
  return made;
}

TcpServer::TcpServer(EventLoop& loop, TcpOptions options, RequestHandler& handler,
                     ServerCounters& counters)
    : loop_(loop),
      options_(std::move(options)),
      handler_(handler),
      counters_(counters),
      turn_(loop.timers(), [this] { take_turn(); }) {}

TcpServer::~TcpServer() = default;

bool TcpServer::prefers_others() {
  return options_.prefers_others && options_.prefers_others(connections_.size());
}

bool TcpServer::on_descriptors_exhausted() {
  ++counters_.accepted;
  ++counters_.turned_away;
  return false;
}

void TcpServer::on_connection(Fd socket, const SocketAddress& client) {
  ++counters_.accepted;
  const ClientKey key = client_key(client);
  std::size_t& of_client = clients_[key];
  if (connections_.size() >= options_.connections_max ||
      of_client >= options_.connections_per_client) {
    ++counters_.turned_away;
    if (of_client == 0) clients_.erase(key);
    return;
  }
  ++of_client;
  connections_.push_back(std::make_unique<TcpConnection>(*this, std::move(socket), client));
  TcpConnection& connection = *connections_.back();
  connection.place_ = connections_.size() - 1;
  connection.client_key_ = key;
  counters_.active += 1;
  // The system has no room for another watch.
  if (!connection.start()) connection.close();
  ++counters_.requests;
  handler_.handle(connection);
}

void TcpServer::on_closed(TcpConnection& connection) {
  if (const auto client = clients_.find(connection.client_key_); --client->second == 0) {
    clients_.erase(client);
  }
  const std::size_t place = connection.place_;
  closed_.push_back(std::move(connections_[place]));
  if (place + 1 != connections_.size()) {
    connections_[place] = std::move(connections_.back());
    connections_[place]->place_ = place;
  }
  connections_.pop_back();
  counters_.active -= 1;
  turn_.set(loop_.now());
}

void TcpServer::take_turn() {
  closed_.clear();
  if (connections_.empty() && drained_) loop_.post(std::exchange(drained_, nullptr));
}

void TcpServer::drain(std::function<void()> done) {
  if (listener_) listener_->accept_waiting();
  listener_.reset();
  draining_ = true;
  drained_ = std::move(done);
  for (const std::unique_ptr<TcpConnection>& connection : connections_) connection->drain();
  turn_.set(loop_.now());
}

void TcpServer::stop() {
  listener_.reset();
  draining_ = true;
  for (std::size_t i = connections_.size(); i-- > 0;) connections_[i]->close();
  turn_.set(loop_.now());
}

}  // namespace nur
