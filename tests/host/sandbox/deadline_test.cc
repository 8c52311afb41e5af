#include <gtest/gtest.h>

#include "tests/support/guest.h"

namespace nur {
namespace {

using test::load_wat;
using test::OneCall;
using test::run_guest;

constexpr std::string_view kEndless = R"((module
  (import "nur" "nur_end" (func $host))
  (memory (export "memory") 1600)
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "poll_stream") (param i32 i32))
  (func $spins (export "spin") (loop $l (br $l)))
  (func (export "count") (local i64)
    (loop $l (local.set 0 (i64.add (local.get 0) (i64.const 1))) (br $l)))
  (func (export "fill") (loop $l
    (memory.fill (i32.const 0) (i32.const 1) (i32.const 104857600)) (br $l)))
  (func (export "small_fill") (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 64)) (br $l)))
  (func (export "grow") (loop $l (drop (memory.grow (i32.const 0))) (br $l)))
  (func (export "call_host") (loop $l (call $host) (br $l)))
  (func $deep (export "recurse_and_return") (loop $l (call $down (i32.const 5000)) (br $l)))
  (func $down (param i32)
    (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))))))";

HostReply nothing(void*, const GuestMemory&, nur_value*) { return HostReply::resume(); }

class Deadline : public ::testing::TestWithParam<const char*> {};

TEST_P(Deadline, StopsAGuestThatNeverReturns) {
  const auto module = load_wat(kEndless);
  const auto instance = *Instance::create(*module, SandboxLimits{});
  const std::vector<HostFunction> functions{nothing};
  OneCall one(module->manifest(), GetParam(), {});

  const auto start = std::chrono::steady_clock::now();
  const Outcome outcome = run_guest(*instance, one, functions, Milliseconds(30));
  const auto took = std::chrono::steady_clock::now() - start;

  EXPECT_EQ(outcome.kind, Outcome::Kind::expired);
  EXPECT_GE(took, Milliseconds(30));
  EXPECT_LT(took, Milliseconds(3000));
}

INSTANTIATE_TEST_SUITE_P(Loops, Deadline,
                         ::testing::Values("spin", "count", "fill", "small_fill", "grow",
                                           "call_host", "recurse_and_return"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(DeadlineOfAGuest, NamesTheFunctionThatWasRunning) {
  const auto module = load_wat(kEndless);
  const auto instance = *Instance::create(*module, SandboxLimits{});
  OneCall one(module->manifest(), "spin", {});

  const Outcome outcome = run_guest(*instance, one, {}, Milliseconds(10));

  EXPECT_EQ(outcome.where, "spins");
}

TEST(DeadlineOfAGuest, OfAnEarlierGuestDoesNotStopALaterOne) {
  const auto module = load_wat(kEndless);
  const auto instance = *Instance::create(*module, SandboxLimits{});
  OneCall brief(module->manifest(), "alloc", {1});
  ASSERT_EQ(run_guest(*instance, brief, {}, Milliseconds(20)).kind, Outcome::Kind::returned);

  OneCall longer(module->manifest(), "spin", {});
  const auto start = std::chrono::steady_clock::now();
  const Outcome outcome = run_guest(*instance, longer, {}, Milliseconds(200));

  EXPECT_EQ(outcome.kind, Outcome::Kind::expired);
  EXPECT_GE(std::chrono::steady_clock::now() - start, Milliseconds(200));
}

TEST(DeadlineOfAGuest, StopsThousandsOfGuestsInARow) {
  const auto module = load_wat(kEndless);
  const auto instance = *Instance::create(*module, SandboxLimits{});
  for (int i = 0; i < 1000; ++i) {
    OneCall one(module->manifest(), "count", {});
    ASSERT_EQ(run_guest(*instance, one, {}, Milliseconds(1)).kind, Outcome::Kind::expired);
  }
}

}  // namespace
}  // namespace nur
