#include "host/sandbox/instance_pool.h"

#include <gtest/gtest.h>

#include "tests/support/guest.h"

namespace nur {
namespace {

using test::load_wat;
using test::OneCall;
using test::run_guest;

constexpr std::string_view kCounter = R"((module
  (memory 1)
  (global $g (mut i32) (i32.const 0))
  (func (export "next") (result i32)
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (global.set $g (i32.add (global.get $g) (i32.const 1)))
    (i32.add (global.get $g) (i32.load (i32.const 0))))))";

std::uint32_t next_of(Instance& instance) {
  OneCall one(instance.module().manifest(), "next", {});
  EXPECT_EQ(run_guest(instance, one).kind, Outcome::Kind::returned);
  return one.result().i32;
}

TEST(InstancePool, LeasesFreshInstancesOverAndOver) {
  const auto module = load_wat(kCounter);
  InstancePool pool(*module, SandboxLimits{}, PoolLimits{});
  for (int i = 0; i < 1000; ++i) {
    const Lease lease = *pool.acquire();
    ASSERT_EQ(next_of(lease.instance()), 2U);
  }
  EXPECT_EQ(pool.idle(), 1U);
}

TEST(InstancePool, KeepsLeasedInstancesApart) {
  const auto module = load_wat(kCounter);
  InstancePool pool(*module, SandboxLimits{}, PoolLimits{});
  const Lease first = *pool.acquire();
  const Lease second = *pool.acquire();

  EXPECT_EQ(next_of(first.instance()), 2U);
  EXPECT_EQ(next_of(first.instance()), 4U);
  EXPECT_EQ(next_of(second.instance()), 2U);
}

TEST(InstancePool, RefusesMoreThanItsLimit) {
  const auto module = load_wat(kCounter);
  InstancePool pool(*module, SandboxLimits{}, PoolLimits{.leased_max = 2, .idle_max = 2});
  const Lease first = *pool.acquire();
  {
    const Lease second = *pool.acquire();
    const auto third = pool.acquire();
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().kind, ErrorKind::exhausted);
  }
  EXPECT_TRUE(pool.acquire());
}

TEST(InstancePool, KeepsNoMoreIdleInstancesThanItsLimit) {
  const auto module = load_wat(kCounter);
  InstancePool pool(*module, SandboxLimits{}, PoolLimits{.leased_max = 8, .idle_max = 1});
  {
    const Lease first = *pool.acquire();
    const Lease second = *pool.acquire();
  }
  EXPECT_EQ(pool.idle(), 1U);
}

// Writes where its page is a mapping of its own.
constexpr std::string_view kFarCounter = R"((module
  (memory 1)
  (func (export "next") (result i32)
    (i32.store (i32.const 20000) (i32.add (i32.load (i32.const 20000)) (i32.const 2)))
    (i32.load (i32.const 20000)))))";

// Pools of two functions that share a budget.
class SharedBudget : public ::testing::Test {
 protected:
  // Room for so many instances by their number of mappings.
  void has_room_for(std::size_t instances) {
    SandboxLimits limits;
    SlotAmounts room{UINT64_MAX, UINT64_MAX, 0};
    room.mappings = instances * Instance::least_cost(*module_, limits).mappings;
    budget_.emplace(room);
    limits.budget = &*budget_;
    one_.emplace(*module_, limits, PoolLimits{});
    other_.emplace(*module_, limits, PoolLimits{});
  }
  static std::vector<Lease> lease(InstancePool& pool, int count) {
    std::vector<Lease> leases;
    for (int i = 0; i < count; ++i) leases.push_back(*pool.acquire());
    return leases;
  }

  std::unique_ptr<LoadedModule> module_ = load_wat(kFarCounter);
  std::optional<SlotBudget> budget_;
  std::optional<InstancePool> one_;
  std::optional<InstancePool> other_;
};

TEST_F(SharedBudget, RefusesWhatIsNotThereAndTellsWhenItIs) {
  has_room_for(3);
  int told = 0;
  budget_->on_given([&] { ++told; });
  {
    const std::vector<Lease> leases = lease(*one_, 3);
    const auto refused = other_->acquire();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::exhausted);
    EXPECT_EQ(told, 0);
  }
  EXPECT_EQ(told, 3);
  EXPECT_TRUE(other_->acquire());
}

TEST_F(SharedBudget, GivesIdleInstancesOfOneToTheOther) {
  has_room_for(4);
  lease(*one_, 4);
  EXPECT_EQ(one_->idle(), 4U);

  const std::vector<Lease> leases = lease(*other_, 3);

  EXPECT_EQ(one_->idle(), 1U);
}

TEST_F(SharedBudget, ChargesWhatInstancesLearn) {
  has_room_for(10);
  const std::uint64_t before = budget_->used().mappings;
  {
    const Lease lease = *one_->acquire();
    next_of(lease.instance());
  }
  const std::uint64_t learned = budget_->used().mappings;
  EXPECT_GT(learned, before + Instance::least_cost(*module_, SandboxLimits{}).mappings);

  one_->drop_idle();
  EXPECT_EQ(budget_->used(), SlotAmounts{});
}

TEST_F(SharedBudget, DropsAnInstanceThatHasBecomeTooLarge) {
  has_room_for(1);
  {
    const Lease lease = *one_->acquire();
    next_of(lease.instance());
  }
  EXPECT_EQ(one_->idle(), 0U);
  EXPECT_EQ(budget_->used(), SlotAmounts{});
  const Lease again = *one_->acquire();
  EXPECT_EQ(next_of(again.instance()), 2U);
}

TEST(InstancePool, GrowsMemoryWithinTheSharedBudget) {
  const std::unique_ptr<LoadedModule> module = load_wat(R"((module
    (memory 1)
    (func (export "next") (result i32) (memory.grow (i32.const 100)))))");
  SlotBudget budget({.address_bytes = UINT64_MAX,
                     .memory_bytes = std::uint64_t{150} * NUR_WASM_PAGE_BYTES,
                     .mappings = UINT64_MAX});
  SandboxLimits limits;
  limits.budget = &budget;
  InstancePool pool(*module, limits, PoolLimits{});
  {
    const Lease first = *pool.acquire();
    EXPECT_EQ(next_of(first.instance()), 1U);
    const Lease second = *pool.acquire();
    EXPECT_EQ(next_of(second.instance()), UINT32_MAX) << "two of 100 pages are more than there is";
    EXPECT_EQ(next_of(first.instance()), UINT32_MAX);
  }
  const Lease third = *pool.acquire();
  EXPECT_EQ(next_of(third.instance()), 1U);
  EXPECT_LT(budget.used().memory_bytes, std::uint64_t{110} * NUR_WASM_PAGE_BYTES);
}

TEST_F(SharedBudget, IsGivenBackByAPoolThatEnds) {
  has_room_for(5);
  lease(*one_, 3);
  one_.reset();
  EXPECT_EQ(budget_->used(), SlotAmounts{});
  EXPECT_FALSE(budget_->drop_one());
}

TEST_F(SharedBudget, ShrinksByHalfOfWhatWasNotNeeded) {
  has_room_for(20);
  lease(*one_, 8);
  budget_->shrink();
  EXPECT_EQ(one_->idle(), 8U) << "all were in use since";
  budget_->shrink();
  EXPECT_EQ(one_->idle(), 4U);
  lease(*one_, 3);
  budget_->shrink();
  EXPECT_EQ(one_->idle(), 3U) << "one was not needed";
}

TEST_F(SharedBudget, KeepsTheLastInstanceForAWhile) {
  has_room_for(20);
  lease(*one_, 2);
  for (int call = 1; call < InstancePool::kQuietCalls; ++call) budget_->shrink();
  EXPECT_EQ(one_->idle(), 1U);
  budget_->shrink();
  EXPECT_EQ(one_->idle(), 0U);
}

}  // namespace
}  // namespace nur
