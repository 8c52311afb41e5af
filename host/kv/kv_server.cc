#include "host/kv/kv_server.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/log.h"
#include "host/net/output_queue.h"

namespace nur {
namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10;
// Requests of one transaction, and the bytes of all its replies.
constexpr std::size_t kBatchMax = 500;
constexpr std::size_t kBatchReplyBytes = std::size_t{4} << 20;
// Replies that a worker has not taken, and requests of it that are not done; it is not read from
// meanwhile.
constexpr std::size_t kUnsentMax = std::size_t{8} << 20;
constexpr std::size_t kAskedMax = 1000;
constexpr std::size_t kAskedBytesMax = std::size_t{16} << 20;

// Expired values are removed so many at once, and looked for so often.
constexpr std::size_t kPurgeRows = 500;
constexpr Milliseconds kPurgePeriod(1000);
constexpr Milliseconds kPurgePause(20);

}  // namespace

std::int64_t wall_clock_ms() {
  return std::chrono::duration_cast<Milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class KvServer::Connection final : public EventHandler {
 public:
  Connection(KvServer& server, std::uint64_t its_number, Fd socket)
      : number(its_number), server_(server), socket_(std::move(socket)) {}

  void on_events(std::uint32_t events) override {
    if ((events & EPOLLOUT) != 0) flush();
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !is_gone) read();
  }

  void reply(const KvReply& reply) { append(unsent_.tail(), reply); }
  [[nodiscard]] bool may_be_served() const { return !is_gone && unsent_.bytes() <= kUnsentMax; }
  // Of the server's queue: a request has left it, or is there (again).
  void count_taken(const KvRequest& request) {
    --asked_;
    asked_bytes_ -= request.value.size();
  }
  void count_asked(const KvRequest& request) {
    ++asked_;
    asked_bytes_ += request.value.size();
  }

  void flush() {
    std::size_t sent = 0;
    if (unsent_.flush(fd(), sent) == OutputQueue::Flushed::broken) return server_.drop(*this);
    listen();
    if (asked_ > 0 && may_be_served()) server_.run_soon();
  }

  [[nodiscard]] int fd() const { return socket_.get(); }
  const std::uint64_t number;
  bool is_gone = false;

 private:
  void read() {
    char bytes[kReadBytes];
    const ssize_t got = ::recv(fd(), bytes, sizeof bytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return server_.drop(*this);
    stream_.feed({bytes, static_cast<std::size_t>(got)});
    while (std::optional<KvRequest> request = stream_.next()) {
      count_asked(*request);
      server_.queue_.push({number, *std::move(request)});
    }
    if (asked_ > 0 && may_be_served()) server_.run_soon();
    if (!stream_.is_broken()) return listen();
    spdlog::error("key-value store: a worker sent what is no request");
    server_.drop(*this);
  }

  void listen() {
    const std::size_t waiting = unsent_.bytes();
    const bool reads = waiting <= kUnsentMax && asked_ < kAskedMax && asked_bytes_ < kAskedBytesMax;
    const std::uint32_t events = (reads ? static_cast<std::uint32_t>(EPOLLIN) : 0U) |
                                 (waiting > 0 ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
    if (events == listens_for_) return;
    listens_for_ = events;
    if (!server_.loop_.rewatch(fd(), events, *this)) server_.drop(*this);
  }

  KvServer& server_;
  Fd socket_;
  KvStream<KvRequest> stream_;
  OutputQueue unsent_;  // kUnsentMax, and the replies of one batch
  // What is in the queue: kAskedMax and kAskedBytesMax, and what one read adds.
  std::size_t asked_ = 0;
  std::size_t asked_bytes_ = 0;  // of values
  std::uint32_t listens_for_ = EPOLLIN;
};

KvServer::KvServer(EventLoop& loop, KvDatabase& database, const Clock& clock, WallClock now_ms)
    : loop_(loop),
      database_(database),
      clock_(clock),
      now_ms_(std::move(now_ms)),
      batch_(loop.timers(), [this] { run(); }),
      purge_(loop.timers(), [this] { purge(); }) {
  purge_.set(loop_.now() + kPurgePeriod);
}

KvServer::~KvServer() {
  for (const auto& connection : connections_) loop_.unwatch(connection->fd(), *connection);
}

Result<void> KvServer::add(Fd socket) {
  auto connection = std::make_unique<Connection>(*this, next_number_++, std::move(socket));
  NUR_TRY(loop_.watch(connection->fd(), EPOLLIN, *connection));
  connections_.push_back(std::move(connection));
  return {};
}

void KvServer::run_soon() {
  // Timers are at the end of a turn, when every connection that has something was read once.
  if (!batch_.deadline()) batch_.set(loop_.now());
}

KvServer::Connection* KvServer::connection(std::uint64_t number) const {
  const auto found = std::ranges::find(connections_, number, &Connection::number);
  return found == connections_.end() ? nullptr : found->get();
}

void KvServer::run() {
  std::vector<KvQueue::Entry> entries = queue_.take(
      kBatchMax, [this](std::uint64_t asker) { return connection(asker)->may_be_served(); });
  if (entries.empty()) return;
  std::vector<KvRequest> requests;
  requests.reserve(entries.size());
  for (KvQueue::Entry& entry : entries) {
    connection(entry.asker)->count_taken(entry.request);
    requests.push_back(std::move(entry.request));
  }
  const TimePoint end = clock_.now() + kKvBatchTime;
  const std::vector<KvReply> replies =
      database_.execute(requests, now_ms_(), kBatchReplyBytes, [&] { return clock_.now() >= end; });
  // Those that were not done are the first again.
  for (std::size_t i = requests.size(); i-- > replies.size();) {
    connection(entries[i].asker)->count_asked(requests[i]);
    queue_.put_back({entries[i].asker, std::move(requests[i])});
  }
  std::vector<std::uint64_t> askers;
  for (std::size_t i = 0; i < replies.size(); ++i) {
    Connection& asker = *connection(entries[i].asker);
    askers.push_back(asker.number);
    if (replies[i].code == static_cast<std::int64_t>(KvCode::unfinished)) {
      requests[i].value = replies[i].bytes;
      asker.count_asked(requests[i]);
      queue_.put_back_for_later({asker.number, std::move(requests[i])});
    } else {
      asker.reply(replies[i]);
    }
  }
  std::ranges::sort(askers);
  const auto repeated = std::ranges::unique(askers);
  askers.erase(repeated.begin(), repeated.end());
  // Goes on with what is left, too.
  for (const std::uint64_t asker : askers) connection(asker)->flush();
}

// It may be in the middle of being read.
void KvServer::drop(Connection& connection) {
  if (std::exchange(connection.is_gone, true)) return;
  loop_.unwatch(connection.fd(), connection);
  queue_.forget(connection.number);
  const auto found = std::ranges::find_if(
      connections_, [&](const auto& other) { return other.get() == &connection; });
  dropped_.push_back(std::move(*found));
  connections_.erase(found);
  loop_.post([this] { dropped_.clear(); });
}

void KvServer::purge() {
  const std::size_t removed = database_.purge(now_ms_(), kPurgeRows);
  purge_.set(loop_.now() + (removed == kPurgeRows ? kPurgePause : kPurgePeriod));
}

}  // namespace nur
