// Every way a guest can be stopped for what it does, and what the host is told of it.
#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/guest.h"

namespace nur {
namespace {

using test::load_wat;
using test::OneCall;
using test::run_guest;

constexpr std::string_view kTraps = R"((module
  (memory 1)
  (table 2 funcref)
  (elem (i32.const 0) $two)
  (type $none (func))
  (func $two (param i32 i32))
  (func $unreachable (export "unreachable") unreachable)
  (func $reads_outside (export "load") (param i32) (drop (i32.load (local.get 0))))
  (func (export "load_far") (drop (i64.load offset=0xffffffff (i32.const -1))))
  (func (export "store") (param i32) (i64.store (local.get 0) (i64.const 1)))
  (func (export "unused_f64") (param i32) (drop (f64.load (local.get 0))))
  (func (export "unused_byte") (param i32) (drop (i32.load8_s (local.get 0))))
  (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "remainder") (param i64) (result i64) (i64.rem_u (i64.const 1) (local.get 0)))
  (func (export "truncate") (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
  (func (export "indirect") (param i32) (call_indirect (type $none) (local.get 0)))
  (func (export "table_get") (param i32) (drop (table.get (local.get 0))))
  (func $deep (export "recurse") (param i32) (result i32)
    (i32.add (i32.const 1) (call $deep (i32.add (local.get 0) (i32.const 1)))))))";

class Trap : public ::testing::Test {
 protected:
  Outcome run(std::string_view name, std::vector<std::uint64_t> arguments = {}) {
    OneCall one(module_->manifest(), name, std::move(arguments));
    return run_guest(*instance_, one);
  }
  void expect_trap(nur_trap trap, std::string_view name,
                   std::vector<std::uint64_t> arguments = {}) {
    const Outcome outcome = run(name, std::move(arguments));
    EXPECT_EQ(outcome.kind, Outcome::Kind::trapped) << name;
    EXPECT_EQ(to_string(outcome.trap), to_string(trap)) << name;
  }

  std::unique_ptr<LoadedModule> module_ = load_wat(kTraps);
  std::unique_ptr<Instance> instance_ = *Instance::create(*module_, SandboxLimits{});
};

TEST_F(Trap, UnreachableIsOne) { expect_trap(NUR_TRAP_UNREACHABLE, "unreachable"); }

TEST_F(Trap, LoadsAndStoresOutsideTheMemoryAreOne) {
  expect_trap(NUR_TRAP_OUT_OF_BOUNDS_MEMORY, "load", {65536});
  expect_trap(NUR_TRAP_OUT_OF_BOUNDS_MEMORY, "load", {65533});
  expect_trap(NUR_TRAP_OUT_OF_BOUNDS_MEMORY, "load", {0xffffffff});
  expect_trap(NUR_TRAP_OUT_OF_BOUNDS_MEMORY, "load_far");
  expect_trap(NUR_TRAP_OUT_OF_BOUNDS_MEMORY, "store", {65529});
}

TEST_F(Trap, LoadsWhoseValueNobodyUsesAreOneToo) {
  expect_trap(NUR_TRAP_OUT_OF_BOUNDS_MEMORY, "unused_f64", {65536});
  expect_trap(NUR_TRAP_OUT_OF_BOUNDS_MEMORY, "unused_byte", {65536});
}

TEST_F(Trap, DividingByZeroIsOne) {
  expect_trap(NUR_TRAP_DIVIDE_BY_ZERO, "divide", {1, 0});
  expect_trap(NUR_TRAP_DIVIDE_BY_ZERO, "remainder", {0});
}

TEST_F(Trap, DividingTheSmallestByMinusOneOverflows) {
  expect_trap(NUR_TRAP_INTEGER_OVERFLOW, "divide", {0x80000000, 0xffffffff});
}

TEST_F(Trap, TruncatingWhatFitsNoIntegerIsOne) {
  expect_trap(NUR_TRAP_INTEGER_OVERFLOW, "truncate", {0x41e0000000000000});    // 2^31
  expect_trap(NUR_TRAP_INVALID_CONVERSION, "truncate", {0x7ff8000000000000});  // NaN
}

TEST_F(Trap, CallingThroughATableIsOneForNullOutsideAndOtherTypes) {
  expect_trap(NUR_TRAP_INDIRECT_CALL, "indirect", {0});
  expect_trap(NUR_TRAP_INDIRECT_CALL, "indirect", {1});
  expect_trap(NUR_TRAP_INDIRECT_CALL, "indirect", {2});
}

TEST_F(Trap, ReadingOutsideATableIsOne) {
  expect_trap(NUR_TRAP_OUT_OF_BOUNDS_TABLE, "table_get", {2});
}

TEST_F(Trap, RecursionWithoutEndOverflowsTheStack) {
  expect_trap(NUR_TRAP_STACK_OVERFLOW, "recurse", {0});
}

TEST_F(Trap, NamesTheFunctionItHappenedIn) {
  EXPECT_EQ(run("unreachable").where, "unreachable");
  EXPECT_EQ(run("load", {65536}).where, "reads_outside");
  EXPECT_EQ(run("divide", {1, 0}).where, "divide") << "by its export, without a name";
}

TEST_F(Trap, LeavesTheInstanceUsableAfterAReset) {
  expect_trap(NUR_TRAP_STACK_OVERFLOW, "recurse", {0});
  ASSERT_TRUE(instance_->reset());

  EXPECT_EQ(run("load", {0}).kind, Outcome::Kind::returned);
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * 4096;
}

TEST_F(Trap, ATenThousandfoldCostsNoMemory) {
  const auto all_kinds = [&] {
    run("unreachable");
    run("load", {65536});
    run("divide", {1, 0});
    run("indirect", {0});
    run("recurse", {0});
    ASSERT_TRUE(instance_->reset());
  };
  all_kinds();
  const std::size_t before = resident_bytes();

  for (int i = 0; i < 2000; ++i) all_kinds();

#ifdef __SANITIZE_ADDRESS__
  constexpr std::size_t kSpareBytes = 64 << 20;  // it keeps what was freed for a while
#else
  constexpr std::size_t kSpareBytes = 1 << 20;
#endif
  EXPECT_LT(resident_bytes(), before + kSpareBytes);
}

}  // namespace
}  // namespace nur
