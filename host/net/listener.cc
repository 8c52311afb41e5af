#include "host/net/listener.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/file.h"

namespace nur {
namespace {

// How long to leave the queue alone when the system has no memory or descriptors left at all.
constexpr Milliseconds kPause(500);
// How long a process with more connections than others leaves a new one to them.
constexpr Milliseconds kGiveWay(1);
// No more than could have waited when that began (ListenOptions::backlog).
constexpr int kWaitingMax = 4096;
// Of an answer the kernel takes this much beyond what is on its way: enough to keep a link busy
// until the loop's next turn.
constexpr int kUnsentBytesMax = 128 << 10;

constexpr std::string_view kNoDescriptors =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 62\r\n"
    "Retry-After: 1\r\n"
    "Connection: close\r\n\r\n"
    "503 Service Unavailable: no descriptor left for a connection\r\n";

// A descriptor that stands for any other: this one again, because a process that may open nothing
// can do that.
Fd reserve_of(const Fd& socket) { return Fd(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0)); }

}  // namespace

Result<Fd> listen_on(const SocketAddress& address, const ListenOptions& options) {
  const auto refuse = [&](std::string_view verb) {
    const bool asked_wrong = errno == EADDRINUSE || errno == EADDRNOTAVAIL || errno == EACCES ||
                             errno == EPERM || errno == EAFNOSUPPORT;
    const bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
    const ErrorKind kind = asked_wrong ? ErrorKind::invalid_input
                           : exhausted ? ErrorKind::exhausted
                                       : ErrorKind::internal;
    return fail(kind, "{}", system_error_text(fmt::format("{} {}", verb, to_string(address))));
  };

  Fd socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return refuse("creating a socket for");
  const auto enable = [&](int level, int option, int value = 1) {
    return ::setsockopt(socket.get(), level, option, &value, sizeof value) == 0;
  };
  if (!enable(SOL_SOCKET, SO_REUSEADDR)) return refuse("setting options for");
  if (options.reuse_port && !enable(SOL_SOCKET, SO_REUSEPORT)) {
    return refuse("setting options for");
  }
  // Accepted sockets inherit it: an answer is one send and shall not wait for company.
  if (!enable(IPPROTO_TCP, TCP_NODELAY)) return refuse("setting options for");
  // What is beyond that stays with us, where it has a limit, and not in the kernel, which would
  // take MiBs for every reader that stands still.
  if (!enable(IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentBytesMax)) {
    return refuse("setting options for");
  }
  if (address.storage.ss_family == AF_INET6 && !enable(IPPROTO_IPV6, IPV6_V6ONLY)) {
    return refuse("setting options for");
  }
  const auto* generic = reinterpret_cast<const sockaddr*>(&address.storage);
  if (::bind(socket.get(), generic, address.bytes) != 0) return refuse("listening on");
  if (::listen(socket.get(), options.backlog) != 0) return refuse("listening on");
  return socket;
}

std::string_view ConnectionAcceptor::answer_without_descriptor() const { return kNoDescriptors; }

Result<std::unique_ptr<Listener>> Listener::start(EventLoop& loop, Fd socket,
                                                  ConnectionAcceptor& acceptor,
                                                  int accepts_per_turn) {
  SocketAddress address;
  address.bytes = sizeof address.storage;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.bytes) !=
      0) {
    return fail(ErrorKind::internal, "{}", system_error_text("reading a listener's address"));
  }
  std::unique_ptr<Listener> made(
      new Listener(loop, std::move(socket), address, acceptor, accepts_per_turn));
  NUR_TRY(made->resume());
  return made;
}

Listener::Listener(EventLoop& loop, Fd socket, const SocketAddress& address,
                   ConnectionAcceptor& acceptor, int accepts_per_turn)
    : loop_(loop),
      socket_(std::move(socket)),
      address_(address),
      acceptor_(acceptor),
      accepts_per_turn_(accepts_per_turn),
      reserve_(reserve_of(socket_)),
      resume_(loop.timers(), [this] {
        if (!resume()) pause();
      }) {}

Listener::~Listener() { loop_.unwatch(socket_.get(), *this); }

Result<void> Listener::resume() {
  if (!reserve_.is_open()) reserve_ = reserve_of(socket_);
  return loop_.watch(socket_.get(), EPOLLIN | EPOLLEXCLUSIVE, *this);
}

void Listener::pause() {
  loop_.unwatch(socket_.get(), *this);
  resume_.set(loop_.now() + kPause);
}

Fd Listener::accept_one(SocketAddress& client) {
  client.bytes = sizeof client.storage;
  return Fd(::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&client.storage), &client.bytes,
                      SOCK_NONBLOCK | SOCK_CLOEXEC));
}

// False: no more can be done now.
bool Listener::accept_with_reserve() {
  if (!reserve_.is_open()) {
    pause();
    return false;
  }
  // accept4 fails for want of a descriptor even when no connection waits; this finds out.
  reserve_.reset();
  SocketAddress client;
  Fd socket = accept_one(client);
  const bool accepted = socket.is_open();
  if (!accepted && errno != EAGAIN) pause();
  if (accepted && acceptor_.on_descriptors_exhausted()) {
    acceptor_.on_connection(std::move(socket), client);
  } else if (accepted) {
    answer_and_close(std::move(socket), acceptor_.answer_without_descriptor());
  }
  reserve_ = reserve_of(socket_);
  return accepted;
}

void Listener::on_events(std::uint32_t) {
  for (int i = 0; i < accepts_per_turn_; ++i) {
    if (!gave_way_ && acceptor_.prefers_others()) {
      // Watching anew also puts this process behind the others: they are woken first.
      gave_way_ = true;
      loop_.unwatch(socket_.get(), *this);
      return resume_.set(loop_.now() + kGiveWay);
    }
    gave_way_ = false;
    SocketAddress client;
    Fd socket = accept_one(client);
    if (socket.is_open()) {
      acceptor_.on_connection(std::move(socket), client);
      continue;
    }
    switch (errno) {
      case EAGAIN:
        return;
      case EMFILE:
      case ENFILE:
        if (!accept_with_reserve()) return;
        continue;
      case ENOBUFS:
      case ENOMEM:
        return pause();
      default:
        // The connection died in the queue (ECONNABORTED and network errors, accept(2)).
        continue;
    }
  }
}

void Listener::accept_waiting() {
  for (int i = 0; i < kWaitingMax; ++i) {
    SocketAddress client;
    Fd socket = accept_one(client);
    if (socket.is_open()) {
      acceptor_.on_connection(std::move(socket), client);
    } else if (errno != ECONNABORTED) {
      return;
    }
  }
}

void answer_and_close(Fd socket, std::string_view answer) {
  // A fresh socket's send buffer takes the few hundred bytes at once, or the client gets nothing.
  (void)::send(socket.get(), answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(socket.get(), SHUT_WR);
  std::array<char, 4096> discarded;
  for (int i = 0; i < 16; ++i) {
    if (::recv(socket.get(), discarded.data(), discarded.size(), MSG_DONTWAIT) <= 0) break;
  }
}

}  // namespace nur
