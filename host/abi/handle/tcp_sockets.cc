#include "host/abi/handle/tcp_sockets.h"

#include <algorithm>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <utility>

#include "host/abi/handle/failure.h"
#include "host/outbound/target.h"

namespace nur {

using handle::Failure;
using handle::number_of;

struct TcpSockets::Socket final : EventHandler {
  Socket(const HandleNetwork& network, Fd descriptor)
      : loop(network.loop),
        budget(network.budget),
        waker(network.guest.waker()),
        fd(std::move(descriptor)) {
    ++budget.open;
  }
  ~Socket() override {
    loop.unwatch(fd.get(), *this);
    --budget.open;
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  void on_events(std::uint32_t) override { waker.wake(); }

  EventLoop& loop;
  SocketBudget& budget;
  const Waker waker;
  Fd fd;
  std::size_t written = 0;  // of a write that is not done
};

struct TcpSockets::Attempt {
  TimePoint deadline{};
  std::unique_ptr<Resolver::Lookup> lookup;
  std::size_t next = 0;            // of the lookup's addresses
  std::unique_ptr<Socket> socket;  // on its way to the one before
  std::uint16_t port = 0;
};

TcpSockets::TcpSockets(const HandleNetwork& network) : network_(network) {}
TcpSockets::~TcpSockets() = default;

TimePoint TcpSockets::connect_deadline() const {
  return attempt_ ? attempt_->deadline : TimePoint::max();
}

TcpSockets::Socket* TcpSockets::find(std::int32_t number) const {
  const std::int64_t place = std::int64_t{number} - kFirst;
  if (place < 0 || static_cast<std::size_t>(place) >= sockets_.size()) return nullptr;
  return sockets_[static_cast<std::size_t>(place)].get();
}

std::optional<std::int32_t> TcpSockets::connect(std::string_view address) {
  if (!attempt_) {
    if (const auto refused = begin(address)) return refused;
  }
  const std::optional<std::int32_t> result = go_on();
  if (result) attempt_.reset();
  return result;
}

std::optional<std::int32_t> TcpSockets::begin(std::string_view address) {
  Result<Target> target = parse_target(address);
  if (!target) return number_of(Failure::argument);
  const auto open = static_cast<std::size_t>(
      std::ranges::count_if(sockets_, [](const auto& socket) { return socket != nullptr; }));
  if (open >= network_.sockets_max || network_.budget.open >= network_.budget.max) {
    return number_of(Failure::limit);
  }
  attempt_ = std::make_unique<Attempt>();
  attempt_->deadline = network_.loop.now() + kConnectTimeout;
  attempt_->port = target->port;
  attempt_->lookup = network_.resolver.find(network_.policy, *std::move(target),
                                            [waker = network_.guest.waker()] { waker.wake(); });
  return std::nullopt;
}

std::optional<std::int32_t> TcpSockets::go_on() {
  Attempt& attempt = *attempt_;
  if (network_.loop.now() >= attempt.deadline) return number_of(Failure::timeout);
  const Resolver::Answer* const answer = attempt.lookup->answer();
  if (answer == nullptr) return std::nullopt;
  if (!*answer) {
    switch (answer->error()) {
      case LookupFailure::denied:
        return number_of(Failure::denied);
      case LookupFailure::timed_out:
        return number_of(Failure::timeout);
      case LookupFailure::busy:
        return number_of(Failure::limit);
      case LookupFailure::unknown:
      case LookupFailure::failed:
        break;
    }
    return number_of(Failure::absent);
  }
  while (true) {
    if (attempt.socket) {
      // A socket that is still on its way has no peer and no error.
      int error = 0;
      socklen_t bytes = sizeof error;
      ::getsockopt(attempt.socket->fd.get(), SOL_SOCKET, SO_ERROR, &error, &bytes);
      if (error == 0) {
        tcp_info info{};
        bytes = sizeof info;
        ::getsockopt(attempt.socket->fd.get(), IPPROTO_TCP, TCP_INFO, &info, &bytes);
        if (info.tcpi_state == TCP_SYN_SENT) return std::nullopt;
        return keep(std::move(attempt.socket));
      }
      attempt.socket.reset();
    }
    if (attempt.next == (*answer)->size()) return number_of(Failure::absent);
    if (!dial((**answer)[attempt.next++]) && (errno == EMFILE || errno == ENFILE)) {
      return number_of(Failure::limit);
    }
  }
}

bool TcpSockets::dial(const IpAddress& address) {
  const SocketAddress to = socket_address(address, attempt_->port);
  Fd fd(::socket(to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return false;
  // Guests write whole messages, and wait for what comes back.
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.bytes) != 0 &&
      errno != EINPROGRESS) {
    return false;
  }
  auto socket = std::make_unique<Socket>(network_, std::move(fd));
  if (!network_.loop.watch(socket->fd.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, *socket)) {
    return false;
  }
  attempt_->socket = std::move(socket);
  return true;
}

std::int32_t TcpSockets::keep(std::unique_ptr<Socket> socket) {
  auto place = std::find(sockets_.begin(), sockets_.end(), nullptr);
  if (place == sockets_.end()) place = sockets_.insert(place, nullptr);
  *place = std::move(socket);
  return kFirst + static_cast<std::int32_t>(place - sockets_.begin());
}

std::optional<std::int64_t> TcpSockets::read(std::int32_t number, std::span<char> room) {
  const Socket* const socket = find(number);
  if (socket == nullptr) return number_of(Failure::absent);
  while (true) {
    const ssize_t got = ::recv(socket->fd.get(), room.data(), room.size(), MSG_DONTWAIT);
    if (got >= 0) return got;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return std::nullopt;
    if (errno != EINTR) return number_of(Failure::absent);
  }
}

std::optional<std::int64_t> TcpSockets::write(std::int32_t number, std::string_view bytes) {
  Socket* const socket = find(number);
  if (socket == nullptr) return number_of(Failure::absent);
  while (socket->written < bytes.size()) {
    const std::string_view part = bytes.substr(socket->written, kTransferBytesMax);
    const ssize_t sent =
        ::send(socket->fd.get(), part.data(), part.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      socket->written += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return std::nullopt;
    } else if (errno != EINTR) {
      socket->written = 0;
      return number_of(Failure::absent);
    }
  }
  return static_cast<std::int64_t>(std::exchange(socket->written, 0));
}

bool TcpSockets::close(std::int32_t number) {
  if (find(number) == nullptr) return false;
  sockets_[static_cast<std::size_t>(number - kFirst)].reset();
  return true;
}

}  // namespace nur
