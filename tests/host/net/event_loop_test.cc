#include "host/net/event_loop.h"

#include <csignal>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "host/net/signal_watch.h"

namespace nur {
namespace {

struct CountingHandler : EventHandler {
  void on_events(std::uint32_t) override {
    ++calls;
    if (also) also();
  }
  int calls = 0;
  std::function<void()> also;
};

Fd ready_descriptor() { return Fd(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)); }

class EventLoopTest : public testing::Test {
 protected:
  void turn() { ASSERT_TRUE(loop_->run_once(Milliseconds(0))); }

  ManualClock clock_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::open(clock_);
};

TEST_F(EventLoopTest, TellsTheHandlerOfAReadyDescriptor) {
  const Fd fd = ready_descriptor();
  CountingHandler handler;
  ASSERT_TRUE(loop_->watch(fd.get(), EPOLLIN, handler));
  turn();
  EXPECT_EQ(handler.calls, 1);
  loop_->unwatch(fd.get(), handler);
  turn();
  EXPECT_EQ(handler.calls, 1);
}

TEST_F(EventLoopTest, WatchingAClosedDescriptorIsAnError) {
  CountingHandler handler;
  const Result<void> watched = loop_->watch(-1, EPOLLIN, handler);
  ASSERT_FALSE(watched);
  EXPECT_EQ(watched.error().kind, ErrorKind::internal);
}

TEST_F(EventLoopTest, AnUnwatchedHandlerHearsNothingOfThisTurnEither) {
  const Fd first = ready_descriptor();
  const Fd second = ready_descriptor();
  CountingHandler a;
  CountingHandler b;
  a.also = [&] { loop_->unwatch(second.get(), b); };
  b.also = [&] { loop_->unwatch(first.get(), a); };
  ASSERT_TRUE(loop_->watch(first.get(), EPOLLIN, a));
  ASSERT_TRUE(loop_->watch(second.get(), EPOLLIN, b));
  turn();
  EXPECT_EQ(a.calls + b.calls, 1);
}

TEST_F(EventLoopTest, WorkPostedByWorkWaitsForTheNextTurn) {
  int runs = 0;
  loop_->post([&] {
    ++runs;
    loop_->post([&] { ++runs; });
  });
  turn();
  EXPECT_EQ(runs, 1);
  turn();
  EXPECT_EQ(runs, 2);
}

TEST_F(EventLoopTest, RunsTimersByItsClock) {
  int runs = 0;
  Timer timer(loop_->timers(), [&] { ++runs; });
  timer.set(loop_->now() + Milliseconds(100));
  clock_.advance(Milliseconds(99));
  turn();
  EXPECT_EQ(runs, 0);
  clock_.advance(Milliseconds(1));
  turn();
  EXPECT_EQ(runs, 1);
}

TEST_F(EventLoopTest, RunsUntilStopped) {
  int turns = 0;
  std::function<void()> again = [&] {
    if (++turns == 3) {
      loop_->stop();
    } else {
      loop_->post(again);
    }
  };
  loop_->post(again);
  ASSERT_TRUE(loop_->run());
  EXPECT_EQ(turns, 3);
}

TEST_F(EventLoopTest, SignalsArriveAsEvents) {
  int seen = 0;
  {
    const auto watch =
        SignalWatch::open(*loop_, {SIGHUP, SIGTERM}, [&](int signal) { seen = signal; });
    ASSERT_TRUE(watch);
    ASSERT_EQ(::raise(SIGHUP), 0);
    turn();
    EXPECT_EQ(seen, SIGHUP);
  }
  sigset_t mask;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  EXPECT_FALSE(sigismember(&mask, SIGHUP));
}

}  // namespace
}  // namespace nur
