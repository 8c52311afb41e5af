// What an instance is when it is fresh, and that it is so again after whatever was done in it.
#include "host/sandbox/instance.h"

#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include "tests/support/guest.h"

namespace nur {
namespace {

using test::load_wat;
using test::OneCall;
using test::run_guest;

constexpr std::string_view kMemory = R"((module
  (memory (export "memory") 3 6)
  (data (i32.const 16) "hello")
  (data (i32.const 131070) "\01\02\03\04")
  (global $counter (mut i32) (i32.const 40))
  (table $t 4 8 funcref)
  (elem (i32.const 1) $one)
  (type $int (func (result i32)))
  (func $one (result i32) (i32.const 1))
  (func $two (result i32) (i32.const 2))
  (elem declare func $two)
  (func (export "peek") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "poke") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "count") (result i32)
    (global.set $counter (i32.add (global.get $counter) (i32.const 1))) (global.get $counter))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "size") (result i32) (memory.size))
  (func (export "swap") (table.set $t (i32.const 1) (ref.func $two)))
  (func (export "grow_table") (result i32) (table.grow $t (ref.func $two) (i32.const 3)))
  (func (export "table_size") (result i32) (table.size $t))
  (func (export "call") (param i32) (result i32) (call_indirect $t (type $int) (local.get 0)))
  (func (export "fill") (param i32 i32 i32)
    (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "move") (param i32 i32 i32)
    (memory.copy (local.get 0) (local.get 1) (local.get 2)))))";

class InstanceTest : public ::testing::Test {
 protected:
  std::uint64_t call(std::string_view name, std::vector<std::uint64_t> arguments = {}) {
    OneCall one(module_->manifest(), name, std::move(arguments));
    const Outcome outcome = run_guest(*instance_, one);
    EXPECT_EQ(outcome.kind, Outcome::Kind::returned) << name << ": " << to_string(outcome.trap);
    return one.result().i32;
  }
  nur_trap trap_of(std::string_view name, std::vector<std::uint64_t> arguments) {
    OneCall one(module_->manifest(), name, std::move(arguments));
    const Outcome outcome = run_guest(*instance_, one);
    EXPECT_EQ(outcome.kind, Outcome::Kind::trapped) << name;
    return outcome.trap;
  }

  std::unique_ptr<LoadedModule> module_ = load_wat(kMemory);
  std::unique_ptr<Instance> instance_ = *Instance::create(*module_, SandboxLimits{});
};

TEST_F(InstanceTest, StartsWithItsDataGlobalsAndTables) {
  EXPECT_EQ(call("peek", {16}), 0x6c6c6568U);
  EXPECT_EQ(call("peek", {131070}), 0x04030201U);
  EXPECT_EQ(call("peek", {0}), 0U);
  EXPECT_EQ(call("count"), 41U);
  EXPECT_EQ(call("call", {1}), 1U);
  EXPECT_EQ(call("size"), 3U);
}

TEST_F(InstanceTest, KeepsItsStateBetweenCalls) {
  call("poke", {100, 7});
  call("count");

  EXPECT_EQ(call("peek", {100}), 7U);
  EXPECT_EQ(call("count"), 42U);
}

TEST_F(InstanceTest, ForgetsEverythingWhenReset) {
  call("poke", {16, 7});
  call("poke", {180000, 7});
  call("count");
  call("swap");
  call("grow_table");
  call("grow", {2});
  call("poke", {5 * 65536 - 4, 9});

  ASSERT_TRUE(instance_->reset());

  EXPECT_EQ(call("peek", {16}), 0x6c6c6568U);
  EXPECT_EQ(call("peek", {180000}), 0U);
  EXPECT_EQ(call("count"), 41U);
  EXPECT_EQ(call("call", {1}), 1U);
  EXPECT_EQ(call("table_size"), 4U);
  EXPECT_EQ(call("size"), 3U);
  EXPECT_EQ(trap_of("peek", {5 * 65536 - 4}), NUR_TRAP_OUT_OF_BOUNDS_MEMORY);
}

TEST_F(InstanceTest, GrowsToItsDeclaredMaximumAndNoFurther) {
  EXPECT_EQ(call("grow", {2}), 3U);
  EXPECT_EQ(call("size"), 5U);
  EXPECT_EQ(call("grow", {2}), UINT32_MAX);
  EXPECT_EQ(call("grow", {1}), 5U);
  EXPECT_EQ(call("peek", {6 * 65536 - 4}), 0U);
}

TEST_F(InstanceTest, GrowsNoFurtherThanTheHostAllows) {
  instance_ = *Instance::create(*module_, SandboxLimits{.memory_bytes_max = 4 * 65536});

  EXPECT_EQ(call("grow", {2}), UINT32_MAX);
  EXPECT_EQ(call("grow", {1}), 3U);
}

TEST_F(InstanceTest, GrowsTablesToTheirMaximum) {
  EXPECT_EQ(call("grow_table"), 4U);
  EXPECT_EQ(call("call", {5}), 2U);
  EXPECT_EQ(call("grow_table"), UINT32_MAX);
}

TEST_F(InstanceTest, CopiesAndFillsWithinBounds) {
  call("fill", {1000, 0xab, 4});
  EXPECT_EQ(call("peek", {1000}), 0xababababU);
  call("move", {1002, 16, 5});
  EXPECT_EQ(call("peek", {1002}), 0x6c6c6568U);

  EXPECT_EQ(trap_of("fill", {3 * 65536 - 3, 1, 4}), NUR_TRAP_OUT_OF_BOUNDS_MEMORY);
  EXPECT_EQ(trap_of("move", {0, 3 * 65536 - 3, 4}), NUR_TRAP_OUT_OF_BOUNDS_MEMORY);
  EXPECT_EQ(call("peek", {3 * 65536 - 4}), 0U) << "a trapping fill writes nothing";
}

TEST(Instance, IsRefusedWhenItNeedsMoreMemoryThanAllowed) {
  const auto module = load_wat("(module (memory 10) (func (export \"run\")))");

  const auto instance = Instance::create(*module, SandboxLimits{.memory_bytes_max = 65536});

  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().kind, ErrorKind::limit_exceeded);
}

TEST(Instance, RunsTheStartFunctionBeforeTheFirstCall) {
  const auto module = load_wat(R"((module
    (global $g (mut i32) (i32.const 1))
    (func $start (global.set $g (i32.const 2)))
    (start $start)
    (func (export "run") (result i32) (global.get $g))))");
  const auto instance = *Instance::create(*module, SandboxLimits{});

  OneCall one(module->manifest(), "run", {});
  ASSERT_EQ(run_guest(*instance, one).kind, Outcome::Kind::returned);

  EXPECT_EQ(one.result().i32, 2U);
}

// Random work in one instance over and over; after each reset all of its memory, and what its
// functions say of globals and tables, is as in an instance nobody has used.
TEST_F(InstanceTest, IsPristineAfterRandomWork) {
  const auto pristine = *Instance::create(*module_, SandboxLimits{});
  std::mt19937 random(7);
  const auto below = [&](std::uint32_t bound) { return random() % bound; };
  for (int round = 0; round < 300; ++round) {
    for (std::uint32_t step = below(12); step > 0; --step) {
      const std::uint32_t at = below(3 * 65536 - 4096);
      switch (below(8)) {
        case 0:
          call("poke", {at, random()});
          break;
        case 1:
          call("fill", {at, random(), below(4096)});
          break;
        case 2:
          call("move", {at, below(3 * 65536 - 4096), below(4096)});
          break;
        case 3:
          call("grow", {below(3)});
          break;
        case 4:
          call("count");
          break;
        case 5:
          call("swap");
          break;
        case 6:
          call("grow_table");
          break;
        case 7:
          trap_of("poke", {0xfffffff0, 1});
          break;
      }
    }
    ASSERT_TRUE(instance_->reset());

    ASSERT_EQ(instance_->memory().size(), pristine->memory().size());
    const auto bytes = *instance_->memory().range(0, pristine->memory().size());
    const auto expected = *pristine->memory().range(0, pristine->memory().size());
    ASSERT_EQ(std::memcmp(bytes.data(), expected.data(), bytes.size()), 0) << "round " << round;
    ASSERT_EQ(call("count"), 41U);
    ASSERT_EQ(call("call", {1}), 1U);
    ASSERT_EQ(call("table_size"), 4U);
    ASSERT_TRUE(instance_->reset());
  }
}

}  // namespace
}  // namespace nur
