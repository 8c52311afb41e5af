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

}  // namespace
}  // namespace nur
