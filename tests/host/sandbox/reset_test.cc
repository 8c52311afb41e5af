// What a request costs the next one: which pages are let through, and what reset does about them.
#include <cstdio>
#include <cstring>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/guest.h"

namespace nur {
namespace {

using test::load_wat;
using test::OneCall;
using test::run_guest;

// 64 pages of 64 KiB, a large table, and bulk operations.
constexpr std::string_view kModule = R"((module
  (import "nur" "nur_log" (func $host (param i32 i32)))
  (memory (export "memory") 64 80)
  (data (i32.const 0) "first page")
  (data (i32.const 1000000) "in the middle")
  (data $passive "passive")
  (table $t 1000 2000 funcref)
  (elem (i32.const 0) $one)
  (func $one)
  (global $g (mut i64) (i64.const 5))
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "poll_stream") (param i32 i32) (call $host (local.get 0) (local.get 1)))
  (func (export "poke") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "peek") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "poke2") (param i32) (i64.store (local.get 0) (i64.const -1)))
  (func (export "fill") (param i32 i32 i32)
    (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy") (param i32 i32 i32)
    (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "init") (param i32)
    (memory.init $passive (local.get 0) (i32.const 0) (i32.const 7)))
  (func (export "count") (global.set $g (i64.add (global.get $g) (i64.const 1))))
  (func (export "set") (param i32) (table.set $t (local.get 0) (ref.func $one)))
  (func (export "grow_table") (result i32) (table.grow $t (ref.func $one) (i32.const 900)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))))";

HostReply write_to_guest(void*, const GuestMemory& memory, nur_value* values) {
  const auto place = memory.writable(values[0].i32, values[1].i32);
  if (!place) return HostReply::trap(NUR_TRAP_OUT_OF_BOUNDS_MEMORY);
  std::memset(place->data(), 0x77, place->size());
  return HostReply::resume();
}

class ResetTest : public ::testing::Test {
 protected:
  Outcome run(std::string_view name, std::vector<std::uint64_t> arguments = {}) {
    OneCall one(module_->manifest(), name, std::move(arguments));
    const std::vector<HostFunction> functions{write_to_guest};
    const Outcome outcome = run_guest(*instance_, one, functions);
    result_ = one.result().i32;
    return outcome;
  }
  std::uint64_t faults() { return instance_->barrier().faults(); }
  // Of linear memory.
  std::size_t writable_pages() {
    const WriteBarrier& barrier = instance_->barrier();
    std::size_t pages = 0;
    for (PageRun run = barrier.writable().next_run(barrier.area_pages()); run.size() > 0;
         run = barrier.writable().next_run(run.end)) {
      pages += run.size();
    }
    return pages;
  }
  void expect_pristine() {
    const auto memory = *instance_->memory().range(0, instance_->memory().size());
    const auto fresh = *pristine_->memory().range(0, pristine_->memory().size());
    ASSERT_EQ(memory.size(), fresh.size());
    EXPECT_EQ(std::memcmp(memory.data(), fresh.data(), memory.size()), 0);
  }

  std::unique_ptr<LoadedModule> module_ = load_wat(kModule);
  std::unique_ptr<Instance> pristine_ = *Instance::create(*module_, SandboxLimits{});
  std::unique_ptr<Instance> instance_ = *Instance::create(*module_, SandboxLimits{});
  std::uint32_t result_ = 0;
};

TEST_F(ResetTest, LearnsAPageAtItsFirstWriteAndNeverAgain) {
  for (int request = 0; request < 5; ++request) {
    ASSERT_EQ(run("poke", {1000000, 7}).kind, Outcome::Kind::returned);
    ASSERT_EQ(run("poke", {3000000, 7}).kind, Outcome::Kind::returned);
    ASSERT_TRUE(instance_->reset());
    expect_pristine();
  }
  EXPECT_EQ(faults(), 2U);
  EXPECT_EQ(writable_pages(), 2U);
}

TEST_F(ResetTest, ReadsWithoutLearning) {
  for (std::uint64_t at = 0; at < 64 * 65536; at += 4096) run("peek", {at});

  EXPECT_EQ(faults(), 0U);
}

TEST_F(ResetTest, LearnsBothPagesOfAnAccessAcrossTheirBorder) {
  ASSERT_EQ(run("poke2", {8188}).kind, Outcome::Kind::returned);

  EXPECT_EQ(writable_pages(), 2U);
  ASSERT_TRUE(instance_->reset());
  expect_pristine();
}

TEST_F(ResetTest, LetsBulkOperationsThroughWithoutAFaultPerPage) {
  ASSERT_EQ(run("fill", {4096, 1, 400000}).kind, Outcome::Kind::returned);
  ASSERT_EQ(run("copy", {600001, 900000, 200000}).kind, Outcome::Kind::returned);
  ASSERT_EQ(run("init", {1000000}).kind, Outcome::Kind::returned);

  EXPECT_EQ(faults(), 0U);
  ASSERT_TRUE(instance_->reset());
  expect_pristine();
}

TEST_F(ResetTest, TrapsBeyondTheMemoryAsBefore) {
  EXPECT_EQ(run("poke", {64 * 65536 - 3, 1}).trap, NUR_TRAP_OUT_OF_BOUNDS_MEMORY);
  EXPECT_EQ(run("poke", {64 * 65536, 1}).trap, NUR_TRAP_OUT_OF_BOUNDS_MEMORY);
  EXPECT_EQ(run("fill", {64 * 65536 - 8, 1, 9}).trap, NUR_TRAP_OUT_OF_BOUNDS_MEMORY);
  ASSERT_TRUE(instance_->reset());
  expect_pristine();
}

TEST_F(ResetTest, LetsHostFunctionsWriteWhatTheyAskFor) {
  ASSERT_EQ(run("poll_stream", {999990, 20}).kind, Outcome::Kind::returned);
  run("peek", {1000000});
  EXPECT_EQ(result_, 0x77777777U);

  EXPECT_EQ(faults(), 0U);
  ASSERT_TRUE(instance_->reset());
  expect_pristine();
}

TEST_F(ResetTest, TakesGrownMemoryAwayAgain) {
  for (int request = 0; request < 3; ++request) {
    ASSERT_EQ(run("poke", {64 * 65536, 1}).trap, NUR_TRAP_OUT_OF_BOUNDS_MEMORY);
    ASSERT_EQ(run("grow", {2}).kind, Outcome::Kind::returned);
    ASSERT_EQ(result_, 64U);
    run("peek", {66 * 65536 - 4});
    ASSERT_EQ(result_, 0U);
    ASSERT_EQ(run("poke", {66 * 65536 - 4, 9}).kind, Outcome::Kind::returned);
    ASSERT_EQ(run("fill", {64 * 65536 - 10, 3, 1000}).kind, Outcome::Kind::returned);
    ASSERT_TRUE(instance_->reset());
    expect_pristine();
  }
}

TEST_F(ResetTest, RestoresTablesPageByPage) {
  const std::vector<std::byte> before(instance_->area().begin(), instance_->area().end());
  for (int request = 0; request < 3; ++request) {
    run("set", {999});
    run("set", {500});
    run("count");
    ASSERT_EQ(run("grow_table").kind, Outcome::Kind::returned);
    ASSERT_EQ(result_, 1000U);
    ASSERT_TRUE(instance_->reset());
    ASSERT_EQ(std::memcmp(before.data(), instance_->area().data(), before.size()), 0);
  }
  // Of the 17 pages of the table's capacity, those that were written.
  EXPECT_LE(instance_->barrier().writable().size(), 14U);
}

// What the kernel counts, from the stack's guard to the end of the slot's memory.
TEST_F(ResetTest, KnowsHowManyMappingsItTakes) {
  const auto mappings = [&] {
    const auto begin = reinterpret_cast<std::uintptr_t>(instance_->area().data());
    const std::uintptr_t end = begin + instance_->area().size() + 64 * 65536;
    std::ifstream maps("/proc/self/maps");
    std::uint64_t count = 0;
    for (std::string line; std::getline(maps, line);) {
      std::uintptr_t from = 0;
      std::uintptr_t to = 0;
      if (std::sscanf(line.c_str(), "%lx-%lx", &from, &to) == 2 && to > begin && from < end)
        ++count;
    }
    return count;
  };
  for (const std::uint64_t at : {0, 1000000, 2000000, 1004000, 3000000, 2004096}) {
    ASSERT_EQ(run("poke", {at, 1}).kind, Outcome::Kind::returned);
    run("set", {at % 1000});
    ASSERT_TRUE(instance_->reset());
    // The kernel may not have joined neighbours that were written apart from each other.
    EXPECT_LE(instance_->cost().mappings - 1, mappings()) << at;
    EXPECT_GE(instance_->cost().mappings, mappings() - 1) << at;
  }
}

TEST_F(ResetTest, GivesBackMoreThanItsResidentShareAndLearnsAnew) {
  ASSERT_EQ(run("fill", {0, 9, 2 << 20}).kind, Outcome::Kind::returned);
  EXPECT_EQ(writable_pages(), (2U << 20) / kPageBytes);

  ASSERT_TRUE(instance_->reset());

  EXPECT_EQ(writable_pages(), 0U);
  expect_pristine();
  ASSERT_EQ(run("poke", {0, 1}).kind, Outcome::Kind::returned);
  EXPECT_EQ(writable_pages(), 1U);
  ASSERT_TRUE(instance_->reset());
  expect_pristine();
}

// Each run of an image that is mapped is a mapping; more than a few are copied instead.
TEST(Reset, RestoresAnImageOfManyPieces) {
  std::string wat = "(module (memory (export \"memory\") 16)\n";
  for (int piece = 0; piece < 20; ++piece) {
    wat += "(data (i32.const " + std::to_string(piece * 3 * 4096) + ") \"piece\")\n";
  }
  wat +=
      "(func (export \"fill\") (param i32 i32 i32)"
      " (memory.fill (local.get 0) (local.get 1) (local.get 2))))";
  const auto module = load_wat(wat);
  ASSERT_EQ(module->code().image_run_count, 20U);
  const auto instance = *Instance::create(*module, SandboxLimits{});
  const auto pristine = *Instance::create(*module, SandboxLimits{});
  const auto expected = *pristine->memory().range(0, 16 * 65536);
  EXPECT_EQ(std::memcmp(expected.data() + 3 * 4096, "piece", 5), 0);

  // A part of it, and so much that all of it is given back.
  for (const std::uint64_t bytes : {20000, 16 * 65536}) {
    OneCall one(module->manifest(), "fill", {0, 1, bytes});
    ASSERT_EQ(run_guest(*instance, one).kind, Outcome::Kind::returned);
    ASSERT_TRUE(instance->reset());
    EXPECT_EQ(std::memcmp(instance->memory().range(0, 16 * 65536)->data(), expected.data(),
                          expected.size()),
              0);
  }
}

TEST(Reset, OfAModuleWithoutMemoryRestoresItsGlobals) {
  const auto module = load_wat(R"((module (global $g (mut i32) (i32.const 1))
    (func (export "next") (result i32)
      (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g))))");
  const auto instance = *Instance::create(*module, SandboxLimits{});
  for (int request = 0; request < 3; ++request) {
    OneCall one(module->manifest(), "next", {});
    ASSERT_EQ(run_guest(*instance, one).kind, Outcome::Kind::returned);
    EXPECT_EQ(one.result().i32, 2U);
    ASSERT_TRUE(instance->reset());
  }
}

// A secret in memory, in grown memory, in a table, in globals and on the stack, and a request after
// it that looks for it everywhere a guest can look.
constexpr std::string_view kCanary = R"((module
  (memory (export "memory") 4 8)
  (table $t 300 600 externref)
  (global $a (mut i64) (i64.const 0))
  (global $b (mut externref) (ref.null extern))
  (func $deep (param $depth i32) (param $secret i64) (result i64) (local $x i64) (local $y i64)
    (local.set $x (i64.mul (local.get $secret) (i64.const 3)))
    (local.set $y (i64.xor (local.get $secret) (i64.extend_i32_u (local.get $depth))))
    (if (local.get $depth) (then
      (local.set $x (i64.add (local.get $x)
        (call $deep (i32.sub (local.get $depth) (i32.const 1)) (local.get $secret))))))
    (i64.add (local.get $x) (local.get $y)))
  (func (export "hide") (param $secret i64) (param $at i32) (param $reference externref)
    (global.set $a (local.get $secret))
    (global.set $b (local.get $reference))
    (i64.store (local.get $at) (local.get $secret))
    (drop (memory.grow (i32.const 1)))
    (i64.store (i32.const 300000) (local.get $secret))
    (table.set $t (i32.rem_u (local.get $at) (i32.const 300)) (local.get $reference))
    (drop (table.grow $t (local.get $reference) (i32.const 20)))
    (drop (call $deep (i32.const 200) (local.get $secret))))
  ;; How much is not as it was: 0.
  (func (export "seek") (result i32) (local $at i32) (local $found i32)
    (local $x1 i64) (local $x2 i64) (local $x3 i64) (local $x4 i64) (local $r externref)
    (local.set $found (i32.add
      (i64.ne (i64.or (i64.or (local.get $x1) (local.get $x2)) (i64.or (local.get $x3) (local.get $x4)))
              (i64.const 0))
      (i32.eqz (ref.is_null (local.get $r)))))
    (local.set $found (i32.add (local.get $found) (i64.ne (global.get $a) (i64.const 0))))
    (local.set $found (i32.add (local.get $found) (i32.eqz (ref.is_null (global.get $b)))))
    (local.set $found (i32.add (local.get $found) (i32.ne (memory.size) (i32.const 4))))
    (local.set $found (i32.add (local.get $found) (i32.ne (table.size $t) (i32.const 300))))
    (loop $next
      (local.set $found (i32.add (local.get $found) (i64.ne (i64.load (local.get $at)) (i64.const 0))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8)))
                             (i32.const 262144))))
    (local.set $at (i32.const 0))
    (loop $next
      (local.set $found (i32.add (local.get $found)
        (i32.eqz (ref.is_null (table.get $t (local.get $at))))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1)))
                             (i32.const 300))))
    ;; What has grown again is as new, too.
    (drop (memory.grow (i32.const 1)))
    (local.set $found (i32.add (local.get $found) (i64.ne (i64.load (i32.const 300000)) (i64.const 0))))
    (drop (table.grow $t (ref.null extern) (i32.const 20)))
    (i32.add (local.get $found)
      (i32.eqz (ref.is_null (table.get $t (i32.const 310))))))))";

class Canary : public ::testing::TestWithParam<std::optional<ResetStrategy>> {};

TEST_P(Canary, IsNeverSeenByTheNextRequest) {
  const auto module = load_wat(kCanary);
  const Result<PageScanner> scanner = PageScanner::open();
  if (GetParam() == ResetStrategy::scan && !scanner) GTEST_SKIP() << scanner.error().message;
  SandboxLimits limits;
  limits.reset = GetParam();
  limits.scanner = scanner ? &*scanner : nullptr;
  const auto instance = *Instance::create(*module, limits);
  std::uint64_t random = 0x9e3779b97f4a7c15;
  for (int cycle = 0; cycle < 10'000; ++cycle) {
    random = random * 6364136223846793005 + 1442695040888963407;
    const std::uint64_t at = (random >> 33) % (4 * NUR_WASM_PAGE_BYTES - 8);
    OneCall hide(module->manifest(), "hide", {random | 1, at, random | 1});
    ASSERT_EQ(run_guest(*instance, hide).kind, Outcome::Kind::returned);
    ASSERT_TRUE(instance->reset());

    OneCall seek(module->manifest(), "seek", {});
    ASSERT_EQ(run_guest(*instance, seek).kind, Outcome::Kind::returned);
    ASSERT_EQ(seek.result().i32, 0U) << "cycle " << cycle;
    ASSERT_TRUE(instance->reset());
  }
}

INSTANTIATE_TEST_SUITE_P(Strategies, Canary,
                         ::testing::Values(std::optional<ResetStrategy>(), ResetStrategy::learned,
                                           ResetStrategy::copy_all, ResetStrategy::scan,
                                           ResetStrategy::discard),
                         [](const auto& test) {
                           return test.param ? std::string(to_string(*test.param)) : "chosen";
                         });

}  // namespace
}  // namespace nur
