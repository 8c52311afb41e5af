#include "host/net/tcp_server.h"

#include <sys/socket.h>

#include <gtest/gtest.h>

#include "base/clock.h"

namespace nur {
namespace {

struct Told final : ExchangeWatcher {
  void on_exchange() override { ++times; }
  int times = 0;
};

// A listener whose connections the test answers by hand, and clients for it.
class TcpServerTest : public ::testing::Test, public RequestHandler {
 protected:
  void SetUp() override { listen({}); }
  void listen(TcpOptions options) {
    server_.reset();
    held_.clear();
    Fd listening = *listen_on(*parse_address("127.0.0.1:0"));
    server_ = *TcpServer::adopt(*loop_, std::move(listening), std::move(options), *this, counters_);
  }
  void handle(Exchange& exchange) override {
    held_.push_back(&exchange);
    exchange.watch(&told_);
  }

  Fd connect() {
    Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const SocketAddress& address = server_->address();
    EXPECT_EQ(
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.bytes),
        0);
    const std::uint64_t accepted = counters_.accepted;
    EXPECT_TRUE(until([&] { return counters_.accepted > accepted; }));
    return socket;
  }
  bool until(const std::function<bool()>& condition) {
    for (int i = 0; i < 5'000; ++i) {
      if (condition()) return true;
      EXPECT_TRUE(loop_->run_once(Milliseconds(1)));
    }
    return false;
  }
  void settle() {
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(loop_->run_once(Milliseconds(1)));
  }
  void advance(Milliseconds by) {
    settle();
    clock_.advance(by);
    settle();
  }
  static void send(const Fd& socket, std::string_view bytes) {
    EXPECT_EQ(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // What has come; nullopt at the end or behind a reset.
  static std::optional<std::string> receive(const Fd& socket) {
    char buffer[65536];
    const ssize_t count = ::recv(socket.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (count > 0) return std::string(buffer, static_cast<std::size_t>(count));
    if (count < 0 && errno == EAGAIN) return "";
    return std::nullopt;
  }
  // Everything until the server closes.
  std::string receive_all(const Fd& socket) {
    std::string all;
    EXPECT_TRUE(until([&] {
      const std::optional<std::string> some = receive(socket);
      if (some) all += *some;
      return !some;
    }));
    return all;
  }
  std::optional<std::string> read(Exchange& exchange, std::size_t bytes = 100) {
    std::string buffer(bytes, '\0');
    const std::optional<std::size_t> count = exchange.read_body(buffer);
    if (!count) return std::nullopt;
    buffer.resize(*count);
    return buffer;
  }
  bool until_told() {
    const int before = told_.times;
    return until([&] { return told_.times > before; });
  }

  ManualClock clock_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::open(clock_);
  ServerCounters counters_;
  Told told_;
  std::vector<Exchange*> held_;
  std::unique_ptr<TcpServer> server_;
};

TEST_F(TcpServerTest, HandsBytesOnBothWays) {
  const Fd client = connect();
  Exchange& exchange = *held_.at(0);
  EXPECT_TRUE(exchange.is_raw());
  EXPECT_EQ(exchange.request().method, "TCP");
  EXPECT_EQ(exchange.request().target, to_string(server_->address()));
  EXPECT_EQ(read(exchange), std::nullopt);
  send(client, "hello");
  ASSERT_TRUE(until_told());
  EXPECT_EQ(read(exchange, 3), "hel");
  EXPECT_EQ(read(exchange), "lo");
  EXPECT_EQ(read(exchange), std::nullopt);
  exchange.write("world");
  std::string got;
  EXPECT_TRUE(until([&] {
    got += receive(client).value_or("");
    return got == "world";
  }));
  EXPECT_EQ(counters_.bytes_received, 5u);
  EXPECT_EQ(counters_.bytes_sent, 5u);
  EXPECT_EQ(counters_.active, 1u);
}

TEST_F(TcpServerTest, TellsTheEndOfInputAndStillSends) {
  const Fd client = connect();
  send(client, "x");
  ::shutdown(client.get(), SHUT_WR);
  ASSERT_TRUE(until_told());
  settle();
  EXPECT_EQ(read(*held_[0]), "x");
  EXPECT_EQ(read(*held_[0]), "");
  EXPECT_EQ(read(*held_[0]), "");
  EXPECT_FALSE(held_[0]->client_gone());
  held_[0]->write("bye");
  EXPECT_TRUE(held_[0]->end());
  EXPECT_EQ(receive_all(client), "bye");
  settle();
  EXPECT_EQ(counters_.active, 0u);
}

TEST_F(TcpServerTest, ClosesBehindWhatWasWritten) {
  const Fd client = connect();
  const std::string much(3 << 20, 'z');
  held_[0]->write(much);
  EXPECT_GT(held_[0]->unsent_bytes(), 0u);
  held_[0]->respond(host_response(502, "nobody is told this"));
  EXPECT_EQ(receive_all(client), much);
}

TEST_F(TcpServerTest, SendsItsEndWhileTheExchangeGoesOn) {
  const Fd client = connect();
  held_[0]->write("last");
  held_[0]->finish_sending();
  held_[0]->write("dropped");
  EXPECT_EQ(receive_all(client), "last");
  EXPECT_FALSE(held_[0]->client_gone());
  EXPECT_TRUE(held_[0]->end());
}

// What was sent would be lost in a reset if the socket were closed with unread input.
TEST_F(TcpServerTest, ReadsOnBehindItsEnd) {
  const Fd client = connect();
  send(client, std::string(100'000, 'u'));
  settle();
  held_[0]->write("last");
  EXPECT_TRUE(held_[0]->end());
  EXPECT_EQ(receive_all(client), "last");
  EXPECT_EQ(counters_.active, 1u) << "lingers for the client's end";
  advance(Milliseconds(2'001));
  EXPECT_EQ(counters_.active, 0u);
}

TEST_F(TcpServerTest, TellsWhenTheClientHasTakenEnough) {
  const Fd client = connect();
  while (held_[0]->unsent_bytes() <= Exchange::kUnsentBytesMax) {
    held_[0]->write(std::string(64 << 10, 'z'));
  }
  const int before = told_.times;
  settle();
  EXPECT_EQ(told_.times, before);
  EXPECT_TRUE(until([&] {
    receive(client);
    return told_.times > before;
  }));
  EXPECT_LE(held_[0]->unsent_bytes(), Exchange::kUnsentBytesLow);
}

TEST_F(TcpServerTest, TellsThatTheClientHasLeft) {
  Fd client = connect();
  const linger now{1, 0};
  ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  client.reset();
  ASSERT_TRUE(until_told());
  EXPECT_TRUE(held_[0]->client_gone());
  EXPECT_EQ(read(*held_[0]), "");
  held_[0]->write("nothing");
  held_[0]->abort();
  settle();
  EXPECT_EQ(counters_.active, 0u);
}

TEST_F(TcpServerTest, ClosesAnIdleConnection) {
  const Fd client = connect();
  advance(Milliseconds(200'000));
  send(client, "x");
  settle();
  EXPECT_EQ(read(*held_[0]), "x");
  advance(Milliseconds(200'000));
  EXPECT_FALSE(held_[0]->client_gone()) << "it was idle since the last byte only";
  advance(Milliseconds(100'001));
  EXPECT_TRUE(held_[0]->client_gone());
  EXPECT_EQ(counters_.timeouts, 1u);
  held_[0]->abort();
}

TEST_F(TcpServerTest, ClosesAClientThatTakesNothing) {
  const Fd client = connect();
  while (held_[0]->unsent_bytes() <= Exchange::kUnsentBytesMax) {
    held_[0]->write(std::string(64 << 10, 'z'));
  }
  advance(Milliseconds(30'001));
  advance(Milliseconds(30'001));
  EXPECT_TRUE(held_[0]->client_gone());
  held_[0]->abort();
}

TEST_F(TcpServerTest, BoundsWhatIsHeldForAllClients) {
  listen({.prefers_others = nullptr, .unsent_bytes_max = 1 << 20});
  std::vector<Fd> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(connect());
    Exchange& exchange = *held_.back();
    while (!exchange.client_gone() && exchange.unsent_bytes() <= Exchange::kUnsentBytesMax) {
      exchange.write(std::string(64 << 10, 'z'));
    }
  }
  EXPECT_GT(counters_.given_up, 0u);
  EXPECT_TRUE(held_.front()->client_gone());
  EXPECT_FALSE(held_.back()->client_gone());
}

// The one that brings it over the limit is the only one there is.
TEST_F(TcpServerTest, ClosesTheConnectionThatItIsWritingTo) {
  listen({.prefers_others = nullptr, .unsent_bytes_max = 1 << 20});
  const Fd client = connect();
  const int before = told_.times;
  held_[0]->write(std::string(16 << 20, 'z'));
  EXPECT_TRUE(held_[0]->client_gone());
  EXPECT_GT(told_.times, before);
  EXPECT_EQ(counters_.given_up, 1u);
  // Nothing of it is touched any more.
  held_[0]->write("more");
  held_[0]->finish_sending();
  EXPECT_EQ(held_[0]->unsent_bytes(), 0u);
  advance(TcpOptions{}.idle + Milliseconds(1));
  EXPECT_EQ(counters_.timeouts, 0u);
  held_[0]->abort();
  settle();
  EXPECT_EQ(counters_.active, 0u);
}

// As over HTTP: who takes a little now and then holds a connection for a while, not for ever.
TEST_F(TcpServerTest, ClosesAClientThatTakesTooSlowly) {
  // Seconds that a client is there which takes 19 KiB in each at most.
  const auto seconds_there = [&](std::size_t least) {
    listen({.prefers_others = nullptr, .bytes_per_second_min = least});
    const Fd client = connect();
    // So much that it is never all on its way.
    held_[0]->write(std::string(32 << 20, 'z'));
    int seconds = 0;
    for (; seconds < 100 && !held_[0]->client_gone(); seconds += 10) {
      for (int i = 0; i < 3; ++i) receive(client);
      advance(Milliseconds(10'000));
    }
    held_[0]->abort();
    return seconds;
  };
  EXPECT_EQ(seconds_there(1 << 10), 100);
  EXPECT_EQ(counters_.timeouts, 0u);
  const int there = seconds_there(64 << 10);
  EXPECT_GE(there, 30);
  EXPECT_LT(there, 100);
  EXPECT_EQ(counters_.timeouts, 1u);
}

TEST_F(TcpServerTest, TurnsAwayMoreThanItsLimits) {
  listen({.prefers_others = nullptr, .connections_max = 2});
  const Fd first = connect();
  const Fd second = connect();
  const Fd third = connect();
  EXPECT_EQ(receive_all(third), "");
  EXPECT_EQ(held_.size(), 2u);
  EXPECT_EQ(counters_.turned_away, 1u);

  listen({.prefers_others = nullptr, .connections_per_client = 1});
  const Fd one = connect();
  const Fd another = connect();
  EXPECT_EQ(receive_all(another), "");
  EXPECT_EQ(held_.size(), 1u);
}

TEST_F(TcpServerTest, DrainEndsTheInputBehindWhatHasCome) {
  const Fd client = connect();
  send(client, "x");
  settle();
  bool drained = false;
  const int before = told_.times;
  server_->drain([&] { drained = true; });
  EXPECT_GT(told_.times, before);
  EXPECT_EQ(read(*held_[0]), "x");
  EXPECT_EQ(read(*held_[0]), "");
  settle();
  EXPECT_FALSE(drained);
  held_[0]->write("bye");
  EXPECT_TRUE(held_[0]->end());
  EXPECT_EQ(receive_all(client), "bye");
  ::shutdown(client.get(), SHUT_WR);
  EXPECT_TRUE(until([&] { return drained; }));
}

TEST_F(TcpServerTest, StopClosesEverything) {
  const Fd client = connect();
  server_->stop();
  EXPECT_TRUE(held_[0]->client_gone());
  EXPECT_EQ(receive_all(client), "");
  held_[0]->abort();
}

}  // namespace
}  // namespace nur
