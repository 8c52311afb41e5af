#include "host/abi/handle/tcp_sockets.h"

#include <array>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <vector>

#include <gtest/gtest.h>

#include "host/abi/handle/failure.h"

namespace nur {
namespace {

using handle::Failure;
using handle::number_of;

class TcpSocketsTest : public testing::Test {
 protected:
  struct Guest final : Wakeable {
    void wake() override { ++wakes; }
    int wakes = 0;
  };

  TcpSocketsTest() {
    SocketAddress address = parse_address("127.0.0.1:0").value();
    listening_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::bind(listening_.get(), reinterpret_cast<sockaddr*>(&address.storage), address.bytes);
    ::listen(listening_.get(), 16);
    ::getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.bytes);
    backend_ = to_string(address);
    ResolverOptions options;
    // Nobody answers there: bound, and never read.
    silent_ = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    SocketAddress silent = parse_address("127.0.0.1:0").value();
    ::bind(silent_.get(), reinterpret_cast<sockaddr*>(&silent.storage), silent.bytes);
    ::getsockname(silent_.get(), reinterpret_cast<sockaddr*>(&silent.storage), &silent.bytes);
    options.servers = to_string(silent);
    options.hosts_file = "/nowhere/hosts";
    options.timeout = Milliseconds(60'000);
    resolver_ = Resolver::open(*loop_, options).value();
  }

  HandleNetwork network(std::size_t sockets_max = 64) {
    return {.loop = *loop_,
            .resolver = *resolver_,
            .budget = budget_,
            .policy = policy_,
            .guest = guest_,
            .sockets_max = sockets_max};
  }
  // As a guest's: asked again after each turn of the loop until there is an answer.
  template <class Ask>
  auto wait_for(Ask ask) -> std::decay_t<decltype(*ask())> {
    for (int turn = 0; turn < 2000; ++turn) {
      if (const auto answer = ask()) return *answer;
      EXPECT_TRUE(loop_->run_once(Milliseconds(10)));
    }
    ADD_FAILURE() << "no answer";
    return -100;
  }
  std::int32_t connect(TcpSockets& sockets) {
    return wait_for([&] { return sockets.connect(backend_); });
  }

  ManualClock clock_;
  std::unique_ptr<EventLoop> loop_ = EventLoop::open(clock_).value();
  Fd listening_;
  Fd silent_;
  std::string backend_;
  std::unique_ptr<Resolver> resolver_;
  OutboundPolicy policy_ =
      OutboundPolicy::parse(std::vector<std::string>{"loopback:*", "*:443"}).value();
  SocketBudget budget_{.open = 0, .max = 100};
  Guest guest_;
};

TEST_F(TcpSocketsTest, AreNumberedFromThreeAndTheirNumbersUsedAgain) {
  TcpSockets sockets(network());
  EXPECT_EQ(connect(sockets), 3);
  EXPECT_EQ(connect(sockets), 4);
  EXPECT_EQ(connect(sockets), 5);
  EXPECT_TRUE(sockets.close(4));
  EXPECT_FALSE(sockets.close(4));
  EXPECT_EQ(connect(sockets), 4);
}

TEST_F(TcpSocketsTest, AreLimitedForAGuest) {
  TcpSockets sockets(network(2));
  EXPECT_EQ(connect(sockets), 3);
  EXPECT_EQ(connect(sockets), 4);
  EXPECT_EQ(connect(sockets), number_of(Failure::limit));
}

TEST_F(TcpSocketsTest, AreLimitedForAllGuestsTogether) {
  budget_.max = 3;
  TcpSockets other(network());
  {
    TcpSockets sockets(network());
    EXPECT_EQ(connect(sockets), 3);
    EXPECT_EQ(connect(sockets), 4);
    EXPECT_EQ(connect(other), 3);
    EXPECT_EQ(connect(other), number_of(Failure::limit));
    EXPECT_EQ(connect(sockets), number_of(Failure::limit));
  }
  // What one had is given back with its end.
  EXPECT_EQ(budget_.open, 1U);
  EXPECT_EQ(connect(other), 4);
}

TEST_F(TcpSocketsTest, WakeTheGuestWhenSomethingComes) {
  TcpSockets sockets(network());
  const std::int32_t number = connect(sockets);
  const Fd peer(::accept(listening_.get(), nullptr, nullptr));
  std::array<char, 8> room{};
  EXPECT_EQ(sockets.read(number, room), std::nullopt);
  const int before = guest_.wakes;

  ASSERT_EQ(::send(peer.get(), "hi", 2, 0), 2);
  for (int turn = 0; turn < 2000 && guest_.wakes == before; ++turn) {
    ASSERT_TRUE(loop_->run_once(Milliseconds(10)));
  }

  EXPECT_GT(guest_.wakes, before);
  EXPECT_EQ(sockets.read(number, room), 2);
  EXPECT_EQ(std::string(room.data(), 2), "hi");
}

TEST_F(TcpSocketsTest, GiveUpANameThatNobodyAnswersForInTime) {
  TcpSockets sockets(network());
  EXPECT_EQ(sockets.connect("slow.example.test:443"), std::nullopt);
  EXPECT_EQ(sockets.connect_deadline(), loop_->now() + TcpSockets::kConnectTimeout);
  EXPECT_EQ(sockets.connect("slow.example.test:443"), std::nullopt);

  clock_.advance(TcpSockets::kConnectTimeout);
  ASSERT_TRUE(loop_->run_once(Milliseconds(0)));

  EXPECT_EQ(sockets.connect("slow.example.test:443"), number_of(Failure::timeout));
  EXPECT_EQ(connect(sockets), 3);
}

TEST_F(TcpSocketsTest, RefuseWhatIsNotOpen) {
  policy_ = OutboundPolicy::parse(std::vector<std::string>{"*:443"}).value();
  TcpSockets sockets(network());
  EXPECT_EQ(connect(sockets), number_of(Failure::denied));
  EXPECT_EQ(budget_.open, 0U);
}

TEST_F(TcpSocketsTest, RefuseAddressesThatMakeNoSense) {
  TcpSockets sockets(network());
  for (const char* const text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:99999",
                                 "a b:80", "http://127.0.0.1:80", "2130706433:80"}) {
    EXPECT_EQ(wait_for([&] { return sockets.connect(text); }), number_of(Failure::argument))
        << text;
  }
}

}  // namespace
}  // namespace nur
