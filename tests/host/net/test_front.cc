#include "tests/host/net/test_front.h"

#include <cerrno>
#include <sys/socket.h>

#include <gtest/gtest.h>

namespace nur {

TestFront::TestFront(ServerOptions options) : loop(*EventLoop::open(clock)) {
  options.address = "127.0.0.1:0";
  Result<std::unique_ptr<HttpServer>> opened = HttpServer::open(*loop, options, *this);
  EXPECT_TRUE(opened) << opened.error().message;
  server = *std::move(opened);
}

void TestFront::handle(Exchange& exchange) {
  const Request& request = exchange.request();
  paths.emplace_back(request.path);
  if (hold) {
    held.push_back(&exchange);
  } else if (answer) {
    answer(exchange);
  } else {
    Response response;
    response.body = fmt::format("{} {} {}\n", request.method, request.path, request.body);
    exchange.respond(std::move(response));
  }
}

TestClient TestFront::connect() {
  const std::uint64_t accepted = server->counters().accepted;
  TestClient client = connect_unaccepted();
  EXPECT_TRUE(until([&] { return server->counters().accepted > accepted; }));
  return client;
}

TestClient TestFront::connect_unaccepted() {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress& address = server->address();
  EXPECT_EQ(
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.bytes),
      0);
  return {*this, std::move(socket)};
}

bool TestFront::until(const std::function<bool()>& condition) {
  for (int i = 0; i < 5'000; ++i) {
    if (condition()) return true;
    EXPECT_TRUE(loop->run_once(Milliseconds(1)));
  }
  return false;
}

void TestFront::settle() {
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(loop->run_once(Milliseconds(1)));
}

void TestFront::advance(Milliseconds by) {
  settle();
  clock.advance(by);
  settle();
}

void TestClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) {
      EXPECT_TRUE(front_.loop->run_once(Milliseconds(1)));
      receive();
      continue;
    }
    if (count < 0) return;  // the server has closed; what it said is still to be received
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void TestClient::finish_sending() { ::shutdown(socket_.get(), SHUT_WR); }

void TestClient::reset() {
  const linger now{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  socket_.reset();
}

void TestClient::receive() {
  char buffer[65536];
  while (!closed_) {
    const ssize_t count = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (count > 0) {
      received_.append(buffer, static_cast<std::size_t>(count));
      continue;
    }
    if (count == 0 || errno != EAGAIN) closed_ = true;
    if (count < 0 && errno == ECONNRESET) reset_ = true;
    return;
  }
}

bool TestClient::awaits(std::string_view text) {
  return front_.until([&] {
    receive();
    return received_.find(text) != std::string::npos;
  });
}

bool TestClient::awaits_bytes(std::size_t count) {
  return front_.until([&] {
    receive();
    return received_.size() >= count;
  });
}

bool TestClient::awaits_close() {
  return front_.until([&] {
    receive();
    return closed_;
  });
}

}  // namespace nur
