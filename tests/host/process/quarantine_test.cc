#include "host/process/quarantine.h"

#include <memory>

#include <gtest/gtest.h>

namespace nur {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class QuarantineTest : public ::testing::Test {
 protected:
  bool dies_after(Nanoseconds time, std::uint32_t number = 5) {
    clock_.advance(time);
    return quarantine_.on_death(number, clock_.now());
  }

  ManualClock clock_;
  std::unique_ptr<QuarantineTable> table_ = std::make_unique<QuarantineTable>();
  Quarantine quarantine_{*table_};
};

TEST_F(QuarantineTest, HoldsAFunctionAtItsThirdDeathWithinAMinute) {
  EXPECT_FALSE(dies_after(seconds(100)));
  EXPECT_FALSE(dies_after(seconds(30)));
  EXPECT_FALSE(table_->holds(5, clock_.now()));
  EXPECT_TRUE(dies_after(seconds(30)));
  EXPECT_TRUE(table_->holds(5, clock_.now()));
}

TEST_F(QuarantineTest, HoldsNobodyWhoseDeathsAreFurtherApart) {
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(dies_after(seconds(31)));
  EXPECT_FALSE(table_->holds(5, clock_.now()));
}

TEST_F(QuarantineTest, CountsEachFunctionByItself) {
  for (const std::uint32_t number : {1U, 2U, 1U, 2U}) EXPECT_FALSE(dies_after(seconds(1), number));
  EXPECT_TRUE(dies_after(seconds(1), 2));
  EXPECT_FALSE(table_->holds(1, clock_.now()));
  EXPECT_TRUE(table_->holds(2, clock_.now()));
}

TEST_F(QuarantineTest, EndsAfterTenMinutesAndThenCountsAnew) {
  for (int i = 0; i < 3; ++i) dies_after(seconds(1));
  clock_.advance(minutes(10) - seconds(1));
  EXPECT_TRUE(table_->holds(5, clock_.now()));
  EXPECT_EQ(table_->left(5, clock_.now()), seconds(1));
  clock_.advance(seconds(1));
  EXPECT_FALSE(table_->holds(5, clock_.now()));
  EXPECT_FALSE(dies_after(seconds(1)));
  EXPECT_FALSE(dies_after(seconds(1)));
  EXPECT_TRUE(dies_after(seconds(1)));
}

TEST_F(QuarantineTest, HasAPlaceForTheLastFunction) {
  for (int i = 0; i < 3; ++i) dies_after(seconds(1), kFunctionsMax - 1);
  EXPECT_TRUE(table_->holds(kFunctionsMax - 1, clock_.now()));
}

}  // namespace
}  // namespace nur
