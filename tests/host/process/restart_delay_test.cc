#include "host/process/restart_delay.h"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace nur {
namespace {

class RestartDelayTest : public ::testing::Test {
 protected:
  // The delays after deaths of a worker that lives for `life` each time.
  std::vector<std::int64_t> delays(int deaths, Nanoseconds life) {
    std::vector<std::int64_t> delays;
    for (int i = 0; i < deaths; ++i) {
      delay_.on_start(clock_.now());
      clock_.advance(life);
      delays.push_back(delay_.on_death(clock_.now()).count());
      clock_.advance(Milliseconds(delays.back()));
    }
    return delays;
  }

  ManualClock clock_;
  RestartDelay delay_;
};

TEST_F(RestartDelayTest, StartsAtOnceAndThenWaitsTwiceAsLongEachTime) {
  EXPECT_EQ(delays(9, Milliseconds(10)),
            (std::vector<std::int64_t>{0, 100, 200, 400, 800, 1600, 3200, 5000, 5000}));
}

TEST_F(RestartDelayTest, ForgetsAllBehindAMinuteOfLife) {
  delays(5, Milliseconds(10));
  EXPECT_EQ(delays(3, std::chrono::seconds(60)), (std::vector<std::int64_t>{0, 0, 0}));
}

TEST_F(RestartDelayTest, ForgetsNothingBehindLess) {
  EXPECT_EQ(delays(3, std::chrono::seconds(59)), (std::vector<std::int64_t>{0, 100, 200}));
}

}  // namespace
}  // namespace nur
