#include "host/sandbox/waker.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

class Sleeper final : public Wakeable {
 public:
  void wake() override { ++woken; }
  int woken = 0;
};

TEST(Waker, WakesWhoHandedItOut) {
  Sleeper sleeper;
  const Waker first = sleeper.waker();
  const Waker copy = first;

  first.wake();
  copy.wake();
  sleeper.waker().wake();

  EXPECT_EQ(sleeper.woken, 3);
}

TEST(Waker, WakesNobodyWhenTheGuestIsGone) {
  Waker kept;
  {
    Sleeper sleeper;
    kept = sleeper.waker();
  }
  kept.wake();
}

TEST(Waker, WakesNobodyByDefault) { Waker().wake(); }

}  // namespace
}  // namespace nur
