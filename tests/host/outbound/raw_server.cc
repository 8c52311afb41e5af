#include "tests/host/outbound/raw_server.h"

#include <cstdlib>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "host/outbound/ip_address.h"

namespace nur::test {

RawServer::Connection::Connection(RawServer& server, Fd socket)
    : server_(server), socket_(std::move(socket)) {
  if (!server_.loop_.watch(socket_.get(), EPOLLIN, *this)) std::abort();
}

RawServer::Connection::~Connection() {
  if (socket_.is_open()) server_.loop_.unwatch(socket_.get(), *this);
}

void RawServer::Connection::on_events(std::uint32_t events) {
  if ((events & EPOLLIN) != 0) {
    char bytes[65536];
    const ssize_t got = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
      server_.loop_.unwatch(socket_.get(), *this);
      socket_.reset();
      return;
    }
    received_.append(bytes, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (received_.find("\r\n\r\n") != std::string::npos) {
      const std::string request = std::exchange(received_, {});
      server_.requests.push_back(request);
      ++requests;
      server_.answer_(*this, request);
    }
  }
  if (socket_.is_open()) flush();
}

void RawServer::Connection::send(std::string_view bytes) {
  unsent_ += bytes;
  flush();
}

void RawServer::Connection::send_for_ever(std::string piece) {
  for_ever_ = std::move(piece);
  flush();
}

void RawServer::Connection::close() {
  closes_ = true;
  flush();
}

void RawServer::Connection::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  server_.loop_.unwatch(socket_.get(), *this);
  socket_.reset();
}

void RawServer::Connection::flush() {
  while (socket_.is_open()) {
    if (unsent_.empty()) unsent_ = for_ever_;
    if (unsent_.empty()) break;
    const ssize_t sent = ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;
    sent_ += static_cast<std::size_t>(sent);
    unsent_.erase(0, static_cast<std::size_t>(sent));
  }
  if (!socket_.is_open()) return;
  if (closes_ && unsent_.empty()) {
    server_.loop_.unwatch(socket_.get(), *this);
    socket_.reset();
    return;
  }
  (void)server_.loop_.rewatch(socket_.get(), unsent_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT, *this);
}

RawServer::RawServer(EventLoop& loop, Answer answer)
    : loop_(loop),
      socket_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
      answer_(std::move(answer)) {
  const SocketAddress any = socket_address(*parse_ip("127.0.0.1"), 0);
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&any.storage), any.bytes) != 0 ||
      ::listen(socket_.get(), 100) != 0 || !loop_.watch(socket_.get(), EPOLLIN, *this)) {
    std::abort();
  }
}

RawServer::~RawServer() { loop_.unwatch(socket_.get(), *this); }

void RawServer::on_events(std::uint32_t) {
  Fd accepted(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (accepted.is_open()) {
    connections.push_back(std::make_unique<Connection>(*this, std::move(accepted)));
  }
}

std::uint16_t RawServer::port() const {
  SocketAddress address;
  address.bytes = sizeof address.storage;
  ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.bytes);
  return address.port();
}

std::string RawServer::url(const std::string& path) const {
  return fmt::format("http://127.0.0.1:{}{}", port(), path);
}

}  // namespace nur::test
