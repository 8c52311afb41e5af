#include <array>

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

// Answers `waits` times that the guest has to wait, then that it goes on.
struct Door {
  std::size_t waits = 0;
  HostReply closed = HostReply::wait();
  std::vector<std::uint32_t> asked;  // with these parameters
};

HostReply knock(void* context, const GuestMemory&, nur_value* values) {
  auto& door = *static_cast<Door*>(context);
  door.asked.push_back(values[0].i32);
  door.asked.push_back(values[1].i32);
  if (door.waits == 0) return HostReply::resume();
  --door.waits;
  return door.closed;
}

// A run whose time is the test's.
class WaitingHostCall : public HostCall {
 protected:
  void begin(std::string_view name, RunLimits limits = {}) {
    limits.deadline = now_ + Milliseconds(5000);
    if (limits.timeout == Nanoseconds(0)) limits.timeout = Milliseconds(5000);
    functions_ = {knock, knock};
    call_.emplace(module_->manifest(), name, std::vector<std::uint64_t>{}, &door_);
    run_.emplace(*instance_, test::trap_guard(), clock_, functions_, *call_, limits);
  }

  SystemClock clock_;
  TimePoint now_ = clock_.now();
  Door door_;
  std::optional<OneCall> call_;
  std::optional<GuestRun> run_;
};

TEST_F(WaitingHostCall, IsAskedAgainWithTheSameParametersUntilItNeedNotWait) {
  door_.waits = 3;
  begin("both");
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(run_->advance(now_));
    EXPECT_TRUE(run_->waits());
    EXPECT_FALSE(run_->switched_out());
  }

  const std::optional<Outcome> outcome = run_->advance(now_);

  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, Outcome::Kind::returned);
  EXPECT_EQ(door_.asked, (std::vector<std::uint32_t>{1, 2, 1, 2, 1, 2, 1, 2, 3, 4}));
}

TEST_F(WaitingHostCall, WaitsNoLongerThanItSaid) {
  door_ = {.waits = 1, .closed = HostReply::wait(now_ + Milliseconds(7)), .asked = {}};
  begin("both");

  EXPECT_FALSE(run_->advance(now_));

  EXPECT_EQ(run_->wake(), now_ + Milliseconds(7));
}

TEST_F(WaitingHostCall, ExpiresAtTheDeadline) {
  door_.waits = 2;
  begin("both");
  EXPECT_FALSE(run_->advance(now_));
  EXPECT_EQ(run_->wake(), now_ + Milliseconds(5000)) << "whoever runs it looks then";

  const std::optional<Outcome> outcome = run_->advance(now_ + Milliseconds(5000));

  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, Outcome::Kind::expired);
  EXPECT_EQ(door_.asked.size(), 2U) << "nothing is asked of an expired guest";
}

// The time-out is for what the guest owes; how long the client may take is the front's to say.
TEST_F(WaitingHostCall, OwesNothingWhileItWaitsForItsClient) {
  door_ = {.waits = 2, .closed = HostReply::wait_for_client(), .asked = {}};
  begin("both");
  EXPECT_FALSE(run_->advance(now_));
  EXPECT_EQ(run_->wake(), TimePoint::max());
  const TimePoint hours_later = now_ + std::chrono::hours(3);
  EXPECT_FALSE(run_->advance(hours_later));

  EXPECT_GT(run_->limits().deadline, hours_later);
  EXPECT_LE(run_->limits().deadline, hours_later + Milliseconds(5000));
}

TEST_F(WaitingHostCall, CanEndTheGuestWhenItIsAskedAgain) {
  door_.waits = 1;
  begin("both");
  EXPECT_FALSE(run_->advance(now_));
  functions_ = {record, record};
  functions_[0] = [](void*, const GuestMemory&, nur_value*) {
    return HostReply::trap(NUR_TRAP_HOST);
  };

  const std::optional<Outcome> outcome = run_->advance(now_);

  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, Outcome::Kind::trapped);
}

// Calls that come one by one, with time between them.
class Deliveries final : public Invocation {
 public:
  Deliveries(std::uint32_t entry, void* context) : entry_(entry), context_(context) {}
  std::expected<std::optional<Call>, nur_trap> next_call(const GuestMemory&) override {
    ++asked;
    if (left == 0) return ended ? std::optional<Call>() : Call::wait_for_client();
    --left;
    return Call{entry_, values_, /*renews_limits=*/true};
  }
  void* context(std::uint32_t) override { return context_; }

  std::size_t left = 0;
  bool ended = false;
  std::size_t asked = 0;

 private:
  std::uint32_t entry_;
  void* context_;
  std::array<nur_value, 1> values_{};
};

TEST_F(WaitingHostCall, OfTheNextCallRenewsTheLimits) {
  functions_ = {record, record};
  Deliveries deliveries(module_->manifest().find_function("both")->entry, &recorder_);
  GuestRun run(*instance_, test::trap_guard(), clock_, functions_, deliveries,
               RunLimits{.deadline = now_ + Milliseconds(5000), .timeout = Milliseconds(5000)});
  EXPECT_FALSE(run.advance(now_));
  EXPECT_TRUE(run.waits());
  EXPECT_TRUE(recorder_.seen.empty());

  const TimePoint later = now_ + std::chrono::hours(1);
  deliveries.left = 2;
  EXPECT_FALSE(run.advance(later));
  EXPECT_EQ(run.limits().deadline, later + Milliseconds(5000));
  EXPECT_EQ(recorder_.seen.size(), 8U);

  deliveries.ended = true;
  const std::optional<Outcome> outcome = run.advance(later + std::chrono::hours(1));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, Outcome::Kind::returned);
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
