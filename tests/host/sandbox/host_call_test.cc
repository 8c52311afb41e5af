#include <gtest/gtest.h>

#include "tests/support/guest.h"

namespace nur {
namespace {

using test::load_wat;
using test::OneCall;
using test::run_guest;

// nur_log and nur_send stand for any two imports: what they do here is the test's.
constexpr std::string_view kCaller = R"((module
  (import "nur" "nur_log" (func $first (param i32 i32)))
  (import "nur" "nur_send" (func $second (param i32 i32)))
  (memory (export "memory") 1)
  (table 1 funcref)
  (elem (i32.const 0) $second)
  (type $pair (func (param i32 i32)))
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "poll_stream") (param i32 i32))
  (func (export "both") (call $first (i32.const 1) (i32.const 2)) (call $second (i32.const 3) (i32.const 4)))
  (func (export "through_table") (call_indirect (type $pair) (i32.const 5) (i32.const 6) (i32.const 0)))
  (func (export "call_and_peek") (result i32)
    (call $first (i32.const 1) (i32.const 2)) (i32.load (i32.const 64)))
  (func (export "peek") (param i32) (result i32) (i32.load (local.get 0)))
  (func $deep (export "deep") (param i32) (call $first (i32.const 0) (local.get 0))
    (call $deep (i32.add (local.get 0) (i32.const 1))))))";

struct Recorder {
  std::vector<std::uint32_t> seen;
  HostReply reply = HostReply::resume();
};

HostReply record(void* context, const GuestMemory&, nur_value* values) {
  auto& recorder = *static_cast<Recorder*>(context);
  recorder.seen.push_back(values[0].i32);
  recorder.seen.push_back(values[1].i32);
  return recorder.reply;
}

HostReply write_to_guest(void*, const GuestMemory& memory, nur_value* values) {
  return memory.write(values[0].i32, std::uint32_t{0xfeed}) ? HostReply::resume()
                                                            : HostReply::trap(NUR_TRAP_HOST);
}

class HostCall : public ::testing::Test {
 protected:
  Outcome run(std::string_view name, std::vector<std::uint64_t> arguments = {}) {
    OneCall one(module_->manifest(), name, std::move(arguments), &recorder_);
    const Outcome outcome = run_guest(*instance_, one, functions_);
    result_ = one.result().i32;
    return outcome;
  }

  Recorder recorder_;
  std::vector<HostFunction> functions_{record, record};
  std::uint32_t result_ = 0;
  std::unique_ptr<LoadedModule> module_ = load_wat(kCaller);
  std::unique_ptr<Instance> instance_ = *Instance::create(*module_, SandboxLimits{});
};

TEST_F(HostCall, CarriesItsParametersInOrder) {
  EXPECT_EQ(run("both").kind, Outcome::Kind::returned);
  EXPECT_EQ(recorder_.seen, (std::vector<std::uint32_t>{1, 2, 3, 4}));
}

// Each guest reads its own memory, though another ran while it waited.
TEST_F(HostCall, GoesOnInItsOwnMemoryAfterAnotherGuest) {
  const std::unique_ptr<Instance> other = *Instance::create(*module_, SandboxLimits{});
  ASSERT_TRUE(instance_->memory().write(64, std::uint32_t{0x1111}));
  ASSERT_TRUE(other->memory().write(64, std::uint32_t{0x2222}));
  const std::uint32_t entry = module_->manifest().find_function("call_and_peek")->entry;
  const TimePoint deadline = SystemClock().now() + Milliseconds(5000);
  nur_value values[2][1] = {};

  instance_->call(module_->code().exports[entry], values[0]);
  ASSERT_EQ(instance_->resume(test::trap_guard(), deadline).kind, GuestStop::Kind::host_call);
  other->call(module_->code().exports[entry], values[1]);
  ASSERT_EQ(other->resume(test::trap_guard(), deadline).kind, GuestStop::Kind::host_call);
  ASSERT_EQ(instance_->resume(test::trap_guard(), deadline).kind, GuestStop::Kind::returned);
  ASSERT_EQ(other->resume(test::trap_guard(), deadline).kind, GuestStop::Kind::returned);

  EXPECT_EQ(values[0][0].i32, 0x1111U);
  EXPECT_EQ(values[1][0].i32, 0x2222U);
}

TEST_F(HostCall, WorksThroughATable) {
  EXPECT_EQ(run("through_table").kind, Outcome::Kind::returned);
  EXPECT_EQ(recorder_.seen, (std::vector<std::uint32_t>{5, 6}));
}

TEST_F(HostCall, CanTrapTheGuest) {
  recorder_.reply = HostReply::trap(NUR_TRAP_HOST);

  const Outcome outcome = run("both");

  EXPECT_EQ(outcome.kind, Outcome::Kind::trapped);
  EXPECT_EQ(outcome.trap, NUR_TRAP_HOST);
  EXPECT_EQ(recorder_.seen.size(), 2U) << "nothing of the guest runs after it";
}

TEST_F(HostCall, CanEndTheGuest) {
  recorder_.reply = HostReply::exit(7);

  const Outcome outcome = run("both");

  EXPECT_EQ(outcome.kind, Outcome::Kind::exited);
  EXPECT_EQ(outcome.exit_status, 7U);
}

TEST_F(HostCall, CanLetTheGuestSleep) {
  const auto wake = std::chrono::steady_clock::now() + Milliseconds(20);
  recorder_.reply = HostReply::sleep(wake);

  EXPECT_EQ(run("both").kind, Outcome::Kind::returned);

  EXPECT_GE(std::chrono::steady_clock::now(), wake);
  EXPECT_EQ(recorder_.seen.size(), 4U);
}

TEST_F(HostCall, SleepsNoLongerThanTheDeadline) {
  recorder_.reply = HostReply::sleep(std::chrono::steady_clock::now() + std::chrono::hours(1));
  OneCall one(module_->manifest(), "both", {}, &recorder_);

  EXPECT_EQ(run_guest(*instance_, one, functions_, Milliseconds(20)).kind, Outcome::Kind::expired);
}

TEST_F(HostCall, WritesMemoryThatTheGuestThenReads) {
  functions_ = {write_to_guest, record};
  EXPECT_EQ(run("both").kind, Outcome::Kind::returned);

  run("peek", {1});

  EXPECT_EQ(result_, 0xfeedU);
}

TEST_F(HostCall, AtTheEndOfTheStackIsTheGuestsOverflow) {
  const Outcome outcome = run("deep", {0});

  EXPECT_EQ(outcome.kind, Outcome::Kind::trapped);
  EXPECT_EQ(outcome.trap, NUR_TRAP_STACK_OVERFLOW);
  EXPECT_GT(recorder_.seen.size(), 1000U);
}

}  // namespace
}  // namespace nur
