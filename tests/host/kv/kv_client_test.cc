// A client and a server on one loop, and a client whose server is this test.
#include "host/kv/kv_client.h"

#include <algorithm>
#include <malloc.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/log.h"
#include "host/kv/kv_server.h"

namespace nur {
namespace {

using Kind = KvRequest::Kind;

// What they hold is not this machine's to say.
std::pair<Fd, Fd> socket_pair() {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  constexpr int kBytes = 64 << 10;
  for (const int end : ends) {
    EXPECT_EQ(::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &kBytes, sizeof kBytes), 0);
  }
  return {Fd(ends[0]), Fd(ends[1])};
}

class KvClientTest : public ::testing::Test {
 protected:
  void connect(KvClient& client) {
    auto [ours, theirs] = socket_pair();
    ASSERT_TRUE(client.connect(std::move(ours)));
    ASSERT_TRUE(server_.add(std::move(theirs)));
  }
  void turn_until(const std::function<bool()>& done) {
    for (int turn = 0; turn < 5000 && !done(); ++turn) {
      ASSERT_TRUE(loop_->run_once(Milliseconds(10)));
    }
    EXPECT_TRUE(done());
  }
  KvReply ask(KvClient& client, KvRequest request) {
    bool told = false;
    const std::unique_ptr<KvClient::Call> call =
        client.start(std::move(request), [&] { told = true; });
    turn_until([&] { return call->reply() != nullptr; });
    return call->reply() == nullptr ? KvReply{.code = -99} : *call->reply();
  }

  SystemClock clock_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::open(clock_);
  std::unique_ptr<KvDatabase> database_ = *KvDatabase::open(std::nullopt, {});
  KvServer server_{*loop_, *database_, clock_};
  KvClient client_{*loop_};
};

TEST_F(KvClientTest, AsksAndIsAnswered) {
  connect(client_);
  EXPECT_EQ(ask(client_, {.kind = Kind::set, .space = "f", .key = "k", .value = "v"}).code, 0);
  const KvReply reply = ask(client_, {.kind = Kind::get, .space = "f", .key = "k"});
  EXPECT_EQ(reply.code, 1);
  EXPECT_EQ(reply.bytes, "v");
}

TEST_F(KvClientTest, LargeValuesGoBothWays) {
  connect(client_);
  const std::string value(kKvValueBytesMax, 'v');
  EXPECT_EQ(ask(client_, {.kind = Kind::set, .space = "f", .key = "k", .value = value}).code, 0);
  EXPECT_EQ(ask(client_, {.kind = Kind::get, .space = "f", .key = "k"}).bytes, value);
}

TEST_F(KvClientTest, TenThousandIncrementsOfTwoClientsAreTenThousand) {
  KvClient other(*loop_);
  connect(client_);
  connect(other);
  int told = 0;
  std::vector<std::unique_ptr<KvClient::Call>> calls;
  for (int i = 0; i < 10'000; ++i) {
    KvClient& client = i % 2 == 0 ? client_ : other;
    calls.push_back(client.start({.kind = Kind::increment, .number = 1, .space = "f", .key = "n"},
                                 [&] { ++told; }));
  }
  turn_until([&] { return told == 10'000; });
  std::vector<bool> seen(10'001);
  for (const auto& call : calls) {
    ASSERT_NE(call->reply(), nullptr);
    const auto number = static_cast<std::size_t>(call->reply()->number);
    ASSERT_LT(number, seen.size());
    EXPECT_FALSE(seen[number]);
    seen[number] = true;
  }
  EXPECT_EQ(ask(client_, {.kind = Kind::get, .space = "f", .key = "n"}).bytes, "10000");
}

TEST_F(KvClientTest, WhoHasLeftIsNotTold) {
  connect(client_);
  int told = 0;
  client_.start({.kind = Kind::set, .space = "f", .key = "k", .value = "v"}, [&] { ++told; })
      .reset();
  // What was asked for is done all the same.
  EXPECT_EQ(ask(client_, {.kind = Kind::get, .space = "f", .key = "k"}).bytes, "v");
  EXPECT_EQ(told, 0);
}

TEST_F(KvClientTest, WithoutAStoreEveryCallFails) {
  EXPECT_EQ(client_.start({.kind = Kind::get, .space = "f", .key = "k"}, [] {})->reply()->code, -1);
}

TEST_F(KvClientTest, CallsOfAStoreThatGoesFailAndTheNextOneServes) {
  auto [ours, theirs] = socket_pair();
  ASSERT_TRUE(client_.connect(std::move(ours)));
  int told = 0;
  std::vector<std::unique_ptr<KvClient::Call>> calls;
  for (int i = 0; i < 100; ++i) {
    // Half of them leave when they hear of it, with their neighbour.
    calls.push_back(client_.start({.kind = Kind::get, .space = "f", .key = "k"}, [&, i] {
      ++told;
      if (i % 2 == 0) calls[static_cast<std::size_t>(i) + 1].reset();
    }));
  }
  theirs.reset();
  turn_until([&] { return !client_.is_connected(); });
  EXPECT_GE(told, 50);
  for (const auto& call : calls) {
    if (call != nullptr) {
      ASSERT_NE(call->reply(), nullptr);
      EXPECT_EQ(call->reply()->code, -1);
    }
  }
  connect(client_);
  EXPECT_EQ(ask(client_, {.kind = Kind::set, .space = "f", .key = "k", .value = "v"}).code, 0);
}

TEST_F(KvClientTest, HasSoManyCallsUnderWayAndNoMore) {
  auto [ours, theirs] = socket_pair();
  ASSERT_TRUE(client_.connect(std::move(ours)));
  std::vector<std::unique_ptr<KvClient::Call>> calls;
  for (std::size_t i = 0; i < kKvCallsMax; ++i) {
    calls.push_back(client_.start({.kind = Kind::get, .space = "f", .key = "k"}, [] {}));
    ASSERT_EQ(calls.back()->reply(), nullptr);
  }
  const auto refused = client_.start({.kind = Kind::get, .space = "f", .key = "k"}, [] {});
  ASSERT_NE(refused->reply(), nullptr);
  EXPECT_EQ(refused->reply()->code, -2);
  calls.clear();
  EXPECT_EQ(client_.start({.kind = Kind::get, .space = "f", .key = "k"}, [] {})->reply(), nullptr);
}

TEST_F(KvClientTest, HoldsSoMuchThatTheStoreHasNotRead) {
  auto [ours, theirs] = socket_pair();
  ASSERT_TRUE(client_.connect(std::move(ours)));
  std::vector<std::unique_ptr<KvClient::Call>> calls;
  const std::string value(kKvValueBytesMax, 'v');
  std::size_t taken = 0;
  for (int i = 0; i < 100; ++i) {
    calls.push_back(
        client_.start({.kind = Kind::set, .space = "f", .key = "k", .value = value}, [] {}));
    taken += calls.back()->reply() == nullptr ? 1 : 0;
  }
  EXPECT_GE(taken, 64U);
  EXPECT_LE(taken, 67U);
  ASSERT_NE(calls.back()->reply(), nullptr);
  EXPECT_EQ(calls.back()->reply()->code, -2);
}

TEST_F(KvClientTest, AServerDropsWhoSendsNonsenseAndServesTheOthers) {
  connect(client_);
  auto [ours, theirs] = socket_pair();
  ASSERT_TRUE(server_.add(std::move(theirs)));
  const std::string nonsense(1000, '\xff');
  ASSERT_EQ(::send(ours.get(), nonsense.data(), nonsense.size(), 0), 1000);
  turn_until([&] { return server_.connections() == 1; });
  EXPECT_EQ(ask(client_, {.kind = Kind::set, .space = "f", .key = "k", .value = "v"}).code, 0);
}

TEST_F(KvClientTest, AServerStopsReadingWhoDoesNotTakeItsReplies) {
  connect(client_);
  ask(client_, {.kind = Kind::set, .space = "f", .key = "k", .value = std::string(1 << 20, 'v')});
  auto [ours, theirs] = socket_pair();
  ASSERT_TRUE(server_.add(std::move(theirs)));
  std::string requests;
  for (int i = 0; i < 100'000; ++i)
    append(requests, KvRequest{.kind = Kind::get, .space = "f", .key = "k"});
  std::size_t sent = 0;
  for (int turn = 0; turn < 200; ++turn) {
    const ssize_t more =
        ::send(ours.get(), requests.data() + sent, requests.size() - sent, MSG_NOSIGNAL);
    if (more > 0) sent += static_cast<std::size_t>(more);
    ASSERT_TRUE(loop_->run_once(Milliseconds(1)));
  }
  EXPECT_LT(sent, requests.size());
  // Others are served meanwhile.
  EXPECT_EQ(ask(client_, {.kind = Kind::get, .space = "f", .key = "k"}).code, 1 << 20);
}

TEST_F(KvClientTest, AServerForgetsWhatWasTaken) {
  connect(client_);
  ask(client_, {.kind = Kind::set, .space = "f", .key = "k", .value = std::string(1 << 20, 'v')});
  auto [ours, theirs] = socket_pair();
  ASSERT_TRUE(server_.add(std::move(theirs)));
  std::string requests;
  for (int i = 0; i < 300; ++i)
    append(requests, KvRequest{.kind = Kind::get, .space = "f", .key = "k"});
  const auto heap = [] { return ::mallinfo2().arena + ::mallinfo2().hblkhd; };
  const std::size_t before = heap();
  std::size_t sent = 0;
  std::size_t taken = 0;
  std::size_t held_most = 0;
  std::string bytes(256 << 10, ' ');
  // Never all that is there, so replies always wait.
  while (taken < std::size_t{200} << 20) {
    const ssize_t more = ::send(ours.get(), requests.data() + sent, requests.size() - sent,
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (more > 0) sent += static_cast<std::size_t>(more);
    ASSERT_TRUE(loop_->run_once(Milliseconds(1)));
    const ssize_t got = ::recv(ours.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    ASSERT_NE(got, 0);
    if (got > 0) taken += static_cast<std::size_t>(got);
    held_most = std::max(held_most, heap());
  }
  EXPECT_LT(held_most - before, std::size_t{64} << 20);
}

// So much time passes whenever somebody looks.
class HastyClock final : public Clock {
 public:
  explicit HastyClock(Milliseconds step) : step_(step) {}
  [[nodiscard]] TimePoint now() const override { return now_ += step_; }

 private:
  const Milliseconds step_;
  mutable TimePoint now_{};
};

// One function asks for forty long lists and another one, of the same worker or not, for a value:
// that one is answered when two batches are over, not behind all lists.
class KvFairnessTest : public KvClientTest {
 protected:
  // Requests that are answered when the last one, a get of "quick", is.
  int answered_first(KvClient& asks, KvClient& quick_one) {
    std::vector<KvRequest> sets;
    for (int i = 0; i < 3000; ++i) {
      sets.push_back({.kind = Kind::set, .space = "slow", .key = fmt::format("key{:05}", i)});
    }
    for (const KvReply& reply : database_->execute(sets, 0)) EXPECT_EQ(reply.code, 0);
    int answered = 0;
    std::vector<std::unique_ptr<KvClient::Call>> lists;
    for (int i = 0; i < 40; ++i) {
      lists.push_back(asks.start({.kind = Kind::list, .number = kKvListBytesMax, .space = "slow"},
                                 [&answered] { ++answered; }));
    }
    std::optional<int> before;
    const auto quick = quick_one.start({.kind = Kind::get, .space = "quick", .key = "k"},
                                       [&] { before = answered; });
    turn_until([&] { return answered == 40 && before; });
    for (const auto& list : lists) EXPECT_GT(list->reply()->code, 0);
    return before.value_or(99);
  }

  HastyClock hasty_{Milliseconds(1)};
  KvServer hasty_server_{*loop_, *database_, hasty_};
  KvClient other_{*loop_};
  void connect_hastily(KvClient& client) {
    auto [ours, theirs] = socket_pair();
    ASSERT_TRUE(client.connect(std::move(ours)));
    ASSERT_TRUE(hasty_server_.add(std::move(theirs)));
  }
};

TEST_F(KvFairnessTest, FortyListsDoNotHoldUpAnotherFunction) {
  connect_hastily(client_);
  EXPECT_LE(answered_first(client_, client_), 2);
}

TEST_F(KvFairnessTest, FortyListsDoNotHoldUpAnotherWorker) {
  connect_hastily(client_);
  connect_hastily(other_);
  EXPECT_LE(answered_first(client_, other_), 2);
}

// With a clock that stands still all would be one batch.
TEST_F(KvFairnessTest, ABatchEndsWhenItsTimeIsOver) {
  connect_hastily(client_);
  int answered = 0;
  std::vector<std::unique_ptr<KvClient::Call>> calls;
  for (int i = 0; i < 10; ++i) {
    calls.push_back(client_.start({.kind = Kind::increment, .number = 1, .space = "f", .key = "n"},
                                  [&] { ++answered; }));
  }
  std::vector<int> after_turns;
  while (answered < 10 && after_turns.size() < 100) {
    ASSERT_TRUE(loop_->run_once(Milliseconds(10)));
    after_turns.push_back(answered);
  }
  EXPECT_EQ(answered, 10);
  for (std::size_t i = 1; i < after_turns.size(); ++i) {
    EXPECT_LE(after_turns[i] - after_turns[i - 1], 4);
  }
  EXPECT_EQ(ask(client_, {.kind = Kind::get, .space = "f", .key = "n"}).bytes, "10");
}

// Each batch is one request, and each read almost two.
TEST_F(KvClientTest, AServerReadsNoMoreThanItMayHold) {
  const HastyClock clock(kKvBatchTime);
  KvServer server(*loop_, *database_, clock);
  auto [ours, theirs] = socket_pair();
  ASSERT_TRUE(server.add(std::move(theirs)));
  std::string set;
  append(set,
         KvRequest{.kind = Kind::set, .space = "f", .key = "k", .value = std::string(33'000, 'v')});
  KvStream<KvReply> replies;
  std::size_t sent = 0;
  std::size_t answered = 0;
  std::size_t held_most = 0;
  for (int turn = 0; turn < 1500; ++turn) {
    while (true) {
      const std::string_view rest = std::string_view(set).substr(sent % set.size());
      const ssize_t more = ::send(ours.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (more <= 0) break;
      sent += static_cast<std::size_t>(more);
    }
    ASSERT_TRUE(loop_->run_once(Milliseconds(1)));
    char bytes[4096];
    const ssize_t got = ::recv(ours.get(), bytes, sizeof bytes, 0);
    if (got > 0) replies.feed({bytes, static_cast<std::size_t>(got)});
    while (replies.next()) ++answered;
    held_most = std::max(held_most, sent - answered * set.size());
  }
  // 16 MiB, and what a read adds and sockets hold.
  EXPECT_GT(held_most, std::size_t{16} << 20);
  EXPECT_LT(held_most, std::size_t{17} << 20);
}

// The server asks for it again, behind the keys that it has seen.
TEST_F(KvClientTest, AListFindsTheOneKeyBehindFiveThousandThatAreGone) {
  connect(client_);
  std::vector<KvRequest> sets;
  for (int i = 0; i < 5000; ++i) {
    sets.push_back(
        {.kind = Kind::set, .lifetime_ms = 1, .space = "f", .key = fmt::format("k{:05}", i)});
  }
  sets.push_back({.kind = Kind::set, .space = "f", .key = "k99999"});
  for (const KvReply& reply : database_->execute(sets, 0)) ASSERT_EQ(reply.code, 0);
  KvReply found = ask(client_, {.kind = Kind::list, .number = 100, .space = "f", .key = "k"});
  EXPECT_EQ(found.bytes, std::string("\6\0\0\0k99999", 10));
  found = ask(client_,
              {.kind = Kind::list, .number = 100, .space = "f", .key = "k", .value = "k99999"});
  EXPECT_EQ(found.code, 0);
}

TEST(KvServer, RemovesExpiredValuesByItself) {
  ManualClock clock;
  const std::unique_ptr<EventLoop> loop = *EventLoop::open(clock);
  const std::unique_ptr<KvDatabase> database = *KvDatabase::open(std::nullopt, {});
  std::int64_t now_ms = 1'000'000;
  KvServer server(*loop, *database, clock, [&] { return now_ms; });
  for (int i = 0; i < 1200; ++i) {
    const KvRequest set{.kind = Kind::set,
                        .lifetime_ms = 100,
                        .space = "f",
                        .key = std::to_string(i),
                        .value = "v"};
    ASSERT_EQ(database->execute({&set, 1}, now_ms).front().code, 0);
  }
  now_ms += 100;
  // 500 at once, with pauses for others.
  for (int turn = 0; turn < 5; ++turn) {
    clock.advance(Milliseconds(1000));
    ASSERT_TRUE(loop->run_once(Milliseconds(0)));
  }
  EXPECT_EQ(database->purge(now_ms, 10'000), 0U);
}

// kill -9 at any time: what was answered is there.
TEST_F(KvClientTest, WhatWasAnsweredSurvivesTheKillOfTheStore) {
  const ScratchDir folder = *ScratchDir::create("kv");
  const Path path = folder.path() / "kv.sqlite";
  std::int64_t expected = 0;
  for (int round = 0; round < 5; ++round) {
    auto [ours, theirs] = socket_pair();
    const pid_t child = ::fork();
    if (child == 0) {
      const std::unique_ptr<EventLoop> loop = *EventLoop::open(clock_);
      const std::unique_ptr<KvDatabase> database = *KvDatabase::open(path, {});
      KvServer server(*loop, *database, clock_);
      if (!server.add(Fd(theirs.release()))) ::_exit(1);
      (void)loop->run();
      ::_exit(1);
    }
    theirs.reset();
    ASSERT_TRUE(client_.connect(std::move(ours)));
    std::int64_t last = 0;
    for (int i = 0; i < 100; ++i) {
      last = ask(client_, {.kind = Kind::increment, .number = 1, .space = "f", .key = "n"}).number;
      ASSERT_EQ(last, expected + i + 1);
    }
    // More are under way when it is killed: they may be done or not.
    std::vector<std::unique_ptr<KvClient::Call>> calls;
    for (int i = 0; i < 100; ++i) {
      calls.push_back(
          client_.start({.kind = Kind::set, .space = "f", .key = "other", .value = "v"}, [] {}));
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    turn_until([&] { return !client_.is_connected(); });
    expected = last;
  }
  const std::unique_ptr<KvDatabase> database = *KvDatabase::open(path, {});
  const KvRequest request{.kind = Kind::get, .space = "f", .key = "n"};
  EXPECT_EQ(database->execute({&request, 1}, wall_clock_ms()).front().bytes, "500");
}

}  // namespace
}  // namespace nur
