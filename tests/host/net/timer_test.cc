#include "host/net/timer.h"

#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace nur {
namespace {

TimePoint at(int milliseconds) { return TimePoint(Milliseconds(milliseconds)); }

TEST(Timer, RunsOnceItsTimeHasCome) {
  TimerQueue queue;
  int runs = 0;
  Timer timer(queue, [&] { ++runs; });
  timer.set(at(10));

  queue.run_due(at(9));
  EXPECT_EQ(runs, 0);
  queue.run_due(at(10));
  queue.run_due(at(11));
  EXPECT_EQ(runs, 1);
}

TEST(Timer, MovedLaterDoesNotRunAtItsOldTime) {
  TimerQueue queue;
  int runs = 0;
  Timer timer(queue, [&] { ++runs; });
  timer.set(at(10));
  timer.set(at(20));

  queue.run_due(at(15));
  EXPECT_EQ(runs, 0);
  queue.run_due(at(20));
  EXPECT_EQ(runs, 1);
}

TEST(Timer, MovedEarlierRunsEarlier) {
  TimerQueue queue;
  std::vector<int> order;
  Timer first(queue, [&] { order.push_back(1); });
  Timer second(queue, [&] { order.push_back(2); });
  first.set(at(10));
  second.set(at(20));
  second.set(at(5));

  EXPECT_EQ(queue.next(), at(5));
  queue.run_due(at(5));
  EXPECT_EQ(order, std::vector<int>{2});
}

TEST(Timer, ClearedDoesNotRun) {
  TimerQueue queue;
  int runs = 0;
  Timer timer(queue, [&] { ++runs; });
  timer.set(at(10));
  timer.clear();

  queue.run_due(at(10));
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(queue.next(), std::nullopt);
}

TEST(Timer, MayBeDestroyedByAnotherThatIsDue) {
  TimerQueue queue;
  int runs = 0;
  auto victim = std::make_unique<Timer>(queue, [&] { ++runs; });
  Timer killer(queue, [&] { victim.reset(); });
  killer.set(at(1));
  victim->set(at(2));

  queue.run_due(at(3));
  EXPECT_EQ(runs, 0);
}

TEST(Timer, SetByItsOwnActionWaitsForTheNextRound) {
  TimerQueue queue;
  int runs = 0;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(queue, [&] {
    ++runs;
    timer->set(at(1));
  });
  timer->set(at(1));

  queue.run_due(at(1));
  EXPECT_EQ(runs, 1);
  queue.run_due(at(1));
  EXPECT_EQ(runs, 2);
}

TEST(Timer, ManyRunInNoWrongRound) {
  TimerQueue queue;
  std::mt19937 random(7);
  std::vector<int> deadlines(500);
  std::vector<int> ran_at(deadlines.size(), -1);
  std::vector<std::unique_ptr<Timer>> timers;
  int now = 0;
  for (std::size_t i = 0; i < deadlines.size(); ++i) {
    timers.push_back(std::make_unique<Timer>(queue, [&, i] { ran_at[i] = now; }));
    for (int moves = 0; moves < 3; ++moves) {
      deadlines[i] = static_cast<int>(random() % 1000);
      timers[i]->set(at(deadlines[i]));
    }
  }
  for (; now < 1000; ++now) queue.run_due(at(now));
  EXPECT_EQ(ran_at, deadlines);
}

}  // namespace
}  // namespace nur
