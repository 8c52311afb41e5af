#include "host/kv/kv_client.h"

#include <cerrno>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <utility>

#include "base/log.h"

namespace nur {
namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10;

KvReply reply(KvCode code) { return {.code = static_cast<std::int64_t>(code)}; }

}  // namespace

KvClient::Call::~Call() {
  if (client_ != nullptr) client_->calls_.erase(id_);
}

KvClient::~KvClient() {
  for (const auto& [id, call] : calls_) call->client_ = nullptr;
  if (socket_.is_open()) loop_.unwatch(socket_.get(), *this);
}

Result<void> KvClient::connect(Fd socket) {
  disconnect();
  NUR_TRY(loop_.watch(socket.get(), EPOLLIN, *this));
  socket_ = std::move(socket);
  return {};
}

std::unique_ptr<KvClient::Call> KvClient::start(KvRequest request, std::function<void()> done) {
  std::unique_ptr<Call> call(new Call);
  if (!is_connected()) {
    call->reply_ = reply(KvCode::absent);
    return call;
  }
  if (calls_.size() >= kKvCallsMax || unsent_.size() - at_ > kKvUnsentMax) {
    call->reply_ = reply(KvCode::limit);
    return call;
  }
  request.id = call->id_ = next_id_++;
  call->client_ = this;
  call->done_ = std::move(done);
  calls_.emplace(call->id_, call.get());
  append(unsent_, request);
  // A store that has gone meanwhile replies at once.
  if (!waits_for_room_) flush();
  return call;
}

void KvClient::on_events(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) flush();
  if (is_connected() && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read();
}

void KvClient::read() {
  char bytes[kReadBytes];
  const ssize_t got = ::recv(socket_.get(), bytes, sizeof bytes, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return disconnect();
  stream_.feed({bytes, static_cast<std::size_t>(got)});
  while (std::optional<KvReply> reply = stream_.next()) {
    const auto found = calls_.find(reply->id);
    if (found == calls_.end()) continue;  // whoever asked has gone
    Call& call = *found->second;
    calls_.erase(found);
    call.client_ = nullptr;
    call.reply_ = *std::move(reply);
    if (call.done_) std::exchange(call.done_, nullptr)();
  }
  if (stream_.is_broken()) disconnect();
}

void KvClient::flush() {
  while (at_ < unsent_.size()) {
    const ssize_t sent =
        ::send(socket_.get(), unsent_.data() + at_, unsent_.size() - at_, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) break;
    // Its end is told by an event, which answers the calls.
    if (sent <= 0) return;
    at_ += static_cast<std::size_t>(sent);
  }
  const bool waits = at_ < unsent_.size();
  if (!waits) {
    unsent_.clear();
    at_ = 0;
  } else if (at_ > unsent_.size() / 2) {
    unsent_.erase(0, at_);
    at_ = 0;
  }
  if (waits == std::exchange(waits_for_room_, waits)) return;
  const std::uint32_t events = waits ? EPOLLIN | EPOLLOUT : EPOLLIN;
  (void)loop_.rewatch(socket_.get(), events, *this);
}

void KvClient::disconnect() {
  if (!socket_.is_open()) return;
  loop_.unwatch(socket_.get(), *this);
  socket_.reset();
  stream_ = {};
  unsent_.clear();
  at_ = 0;
  waits_for_room_ = false;
  // Whoever is told may destroy other calls; a new one is refused.
  while (!calls_.empty()) {
    Call& call = *calls_.begin()->second;
    calls_.erase(calls_.begin());
    call.client_ = nullptr;
    call.reply_ = reply(KvCode::absent);
    if (call.done_) std::exchange(call.done_, nullptr)();
  }
}

}  // namespace nur
