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
  if (calls_.size() >= kKvCallsMax || unsent_.bytes() > kKvUnsentMax) {
    call->reply_ = reply(KvCode::limit);
    return call;
  }
  request.id = call->id_ = next_id_++;
  call->client_ = this;
  call->done_ = std::move(done);
  calls_.emplace(call->id_, call.get());
  append(unsent_.tail(), request);
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
  std::size_t sent = 0;
  const OutputQueue::Flushed flushed = unsent_.flush(socket_.get(), sent);
  // Its end is told by an event, which answers the calls.
  if (flushed == OutputQueue::Flushed::broken) return;
  const bool waits = flushed == OutputQueue::Flushed::blocked;
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
