#include "host/kv/kv_server.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <deque>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/log.h"
#include "host/net/output_queue.h"

namespace nur {
namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10;
// Requests of each connection in one transaction, which takes a few milliseconds, and the bytes of
// all its replies.
constexpr std::size_t kBatchMax = 500;
constexpr std::size_t kBatchReplyBytes = std::size_t{4} << 20;
// Replies that a worker has not taken, and requests of it that are not done; it is not read from
// meanwhile.
constexpr std::size_t kUnsentMax = std::size_t{8} << 20;
constexpr std::size_t kAskedMax = 1000;

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
  Connection(KvServer& server, Fd socket) : server_(server), socket_(std::move(socket)) {}

  void on_events(std::uint32_t events) override {
    if ((events & EPOLLOUT) != 0) flush();
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !is_gone) read();
  }

  void reply(const KvReply& reply) { append(unsent_.tail(), reply); }
  [[nodiscard]] bool may_be_served() const {
    return !is_gone && !asked.empty() && unsent_.bytes() <= kUnsentMax;
  }

  void flush() {
    std::size_t sent = 0;
    if (unsent_.flush(fd(), sent) == OutputQueue::Flushed::broken) return server_.drop(*this);
    listen();
    if (may_be_served()) server_.run_soon();
  }

  [[nodiscard]] int fd() const { return socket_.get(); }
  bool is_gone = false;
  std::deque<KvRequest> asked;  // kAskedMax, and what one read adds

 private:
  void read() {
    char bytes[kReadBytes];
    const ssize_t got = ::recv(fd(), bytes, sizeof bytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return server_.drop(*this);
    stream_.feed({bytes, static_cast<std::size_t>(got)});
    while (std::optional<KvRequest> request = stream_.next()) {
      asked.push_back(*std::move(request));
    }
    if (may_be_served()) server_.run_soon();
    if (!stream_.is_broken()) return listen();
    spdlog::error("key-value store: a worker sent what is no request");
    server_.drop(*this);
  }

  void listen() {
    const std::size_t waiting = unsent_.bytes();
    const bool reads = waiting <= kUnsentMax && asked.size() < kAskedMax;
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
  std::uint32_t listens_for_ = EPOLLIN;
};

KvServer::KvServer(EventLoop& loop, KvDatabase& database, WallClock now_ms)
    : loop_(loop),
      database_(database),
      now_ms_(std::move(now_ms)),
      batch_(loop.timers(), [this] { run(); }),
      purge_(loop.timers(), [this] { purge(); }) {
  purge_.set(loop_.now() + kPurgePeriod);
}

KvServer::~KvServer() {
  for (const auto& connection : connections_) loop_.unwatch(connection->fd(), *connection);
}

Result<void> KvServer::add(Fd socket) {
  auto connection = std::make_unique<Connection>(*this, std::move(socket));
  NUR_TRY(loop_.watch(connection->fd(), EPOLLIN, *connection));
  connections_.push_back(std::move(connection));
  return {};
}

void KvServer::run_soon() {
  // Timers are at the end of a turn, when every connection that has something was read once.
  if (!batch_.deadline()) batch_.set(loop_.now());
}

void KvServer::run() {
  std::vector<KvRequest> requests;
  std::vector<Connection*> askers;
  for (const auto& connection : connections_) {
    if (!connection->may_be_served()) continue;
    const std::size_t count = std::min(connection->asked.size(), kBatchMax);
    std::move(connection->asked.begin(),
              connection->asked.begin() + static_cast<std::ptrdiff_t>(count),
              std::back_inserter(requests));
    connection->asked.erase(connection->asked.begin(),
                            connection->asked.begin() + static_cast<std::ptrdiff_t>(count));
    askers.insert(askers.end(), count, connection.get());
  }
  const std::vector<KvReply> replies = database_.execute(requests, now_ms_(), kBatchReplyBytes);
  for (std::size_t i = 0; i < replies.size(); ++i) askers[i]->reply(replies[i]);
  // Those that were not done are the first again.
  for (std::size_t i = requests.size(); i > replies.size(); --i) {
    askers[i - 1]->asked.push_front(std::move(requests[i - 1]));
  }
  const auto repeated = std::ranges::unique(askers);
  askers.erase(repeated.begin(), repeated.end());
  // Goes on with what is left, too.
  for (Connection* const asker : askers) asker->flush();
}

// It may be in the middle of being read.
void KvServer::drop(Connection& connection) {
  if (std::exchange(connection.is_gone, true)) return;
  loop_.unwatch(connection.fd(), connection);
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
