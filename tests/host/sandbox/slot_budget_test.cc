#include "host/sandbox/slot_budget.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

// Has idle instances of one mapping each.
class FakeHolder final : public IdleHolder {
 public:
  FakeHolder(SlotBudget& budget, std::size_t idle) : budget_(budget), idle_(idle) {
    budget_.join(*this);
    EXPECT_TRUE(budget_.take({0, 0, idle}));
  }
  ~FakeHolder() override { budget_.leave(*this); }
  [[nodiscard]] std::size_t idle() const override { return idle_; }
  void drop_idle() override {
    --idle_;
    budget_.give({0, 0, 1});
  }
  void shrink() override { ++shrinks; }

  int shrinks = 0;

 private:
  SlotBudget& budget_;
  std::size_t idle_;
};

TEST(SlotBudget, TakesUpToEachOfItsLimits) {
  SlotBudget budget({10, 20, 30});

  EXPECT_FALSE(budget.take({11, 0, 0}));
  EXPECT_FALSE(budget.take({0, 21, 0}));
  EXPECT_FALSE(budget.take({0, 0, 31}));
  EXPECT_FALSE(budget.take({UINT64_MAX, UINT64_MAX, UINT64_MAX}));
  EXPECT_TRUE(budget.take({10, 20, 30}));
  EXPECT_FALSE(budget.take({0, 0, 1}));
  budget.give({5, 5, 5});
  EXPECT_TRUE(budget.take({5, 5, 5}));
}

TEST(SlotBudget, GivesUpIdleInstancesOfWhoHasTheMost) {
  SlotBudget budget({0, 0, 10});
  FakeHolder few(budget, 3);
  FakeHolder many(budget, 6);

  EXPECT_TRUE(budget.take({0, 0, 4}));

  EXPECT_EQ(few.idle(), 3U);
  EXPECT_EQ(many.idle(), 3U);
}

TEST(SlotBudget, RefusesWhenNobodyHasIdleInstancesLeft) {
  SlotBudget budget({0, 0, 10});
  FakeHolder holder(budget, 2);
  ASSERT_TRUE(budget.take({0, 0, 8}));

  EXPECT_FALSE(budget.take({0, 0, 3}));

  EXPECT_EQ(budget.used().mappings, 8U);
}

TEST(SlotBudget, KeepsWhatWasChargedWhenItCannotBecomeMore) {
  SlotBudget budget({0, 0, 10});
  ASSERT_TRUE(budget.take({0, 0, 8}));

  EXPECT_FALSE(budget.change({0, 0, 2}, {0, 0, 5}));
  EXPECT_EQ(budget.used().mappings, 8U);
  EXPECT_TRUE(budget.change({0, 0, 2}, {0, 0, 4}));
  EXPECT_EQ(budget.used().mappings, 10U);
}

TEST(SlotBudget, IsShortOfMappingsFromHalfOn) {
  SlotBudget budget({0, 0, 10});
  ASSERT_TRUE(budget.take({0, 0, 5}));
  EXPECT_FALSE(budget.is_short_of_mappings());
  ASSERT_TRUE(budget.take({0, 0, 1}));
  EXPECT_TRUE(budget.is_short_of_mappings());
}

TEST(SlotBudget, TellsWhoWaits) {
  SlotBudget budget({});
  int told = 0;
  budget.tell_given();
  budget.on_given([&] { ++told; });
  budget.tell_given();
  EXPECT_EQ(told, 1);
}

TEST(SlotBudget, ShrinksEveryHolder) {
  SlotBudget budget({});
  FakeHolder one(budget, 0);
  FakeHolder other(budget, 0);
  budget.shrink();
  EXPECT_EQ(one.shrinks + other.shrinks, 2);
}

}  // namespace
}  // namespace nur
