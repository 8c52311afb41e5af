// Who runs when, of guests that take longer than their first quantum.
#include "host/serve/scheduler.h"

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

#include "host/serve/dispatcher.h"
#include "tests/host/serve/fake_exchange.h"
#include "tests/host/serve/load_registry.h"
#include "tests/support/guest.h"

namespace nur {
namespace {

using test::FakeExchange;

// So many times 100,000 steps; and one that never ends.
constexpr std::string_view kWork = R"((module
  (func $work (export "run") (param $n i32) (result i64) (local $i i32) (local $x i64)
    (loop $again
      (local.set $i (i32.const 100000))
      (loop $next
        (local.set $x (i64.add (i64.mul (local.get $x) (i64.const 31)) (i64.extend_i32_u (local.get $i))))
        (br_if $next (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x))))";
constexpr std::string_view kSpin = R"((module
  (func $for_ever (export "run") (loop $l (br $l)))))";
// Sleeps n times a millisecond.
constexpr std::string_view kNaps = R"((module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "run") (param $n i32) (result i32)
    (i32.store offset=16 (i32.const 0) (i32.const 1))
    (i64.store offset=24 (i32.const 0) (i64.const 1000000))
    (loop $again
      (drop (call $poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.const 7))))";

class SchedulerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    put("work", kWork);
    put("spin", kSpin);
    put("naps", kNaps);
    load(std::chrono::seconds(60));
  }
  void put(const std::string& name, std::string_view wat) {
    std::filesystem::copy_file(test::artefact_of(wat), folder_.path() / (name + ".so"));
  }
  void load(Nanoseconds timeout) {
    FunctionLimits limits;
    limits.time.timeout = timeout;
    registry_ =
        *test::load_registry({folder_.path()}, limits, [](const Path& file, const Error& reason) {
          ADD_FAILURE() << file << ": " << reason.message;
        });
  }
  void turn() { ASSERT_TRUE(loop_->run_once(Milliseconds(10))); }
  void turn_until_answered(const FakeExchange& exchange) {
    for (int i = 0; i < 100'000 && !exchange.answer; ++i) turn();
    ASSERT_TRUE(exchange.answer);
  }

  ScratchDir folder_ = *ScratchDir::create("nur-scheduler-");
  SystemClock clock_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::open(clock_);
  Registry registry_;
  WorkerPage page_;
  std::unique_ptr<QuarantineTable> quarantine_ = std::make_unique<QuarantineTable>();
  Dispatcher dispatcher_{TaskContext{*loop_, clock_, test::trap_guard(), page_}, registry_,
                         *quarantine_};
};

TEST_F(SchedulerTest, AnswersOthersWhileAGuestComputes) {
  FakeExchange endless("GET", "/api/spin/");
  dispatcher_.handle(endless);
  ASSERT_FALSE(endless.answer);

  for (int i = 0; i < 10; ++i) {
    turn();
    FakeExchange brief("GET", "/api/work/1");
    dispatcher_.handle(brief);
    turn_until_answered(brief);
    EXPECT_EQ(brief.answer->status, 200);
  }
  EXPECT_FALSE(endless.answer);
}

TEST_F(SchedulerTest, GivesTheSameAnswerInManySlicesAsInOne) {
  Dispatcher without(TaskContext{*loop_, clock_, test::trap_guard(), page_, Nanoseconds::max()},
                     registry_, *quarantine_);
  FakeExchange whole("GET", "/api/work/500");
  without.handle(whole);
  ASSERT_TRUE(whole.answer) << "nobody else gets a turn without a quantum";

  FakeExchange cut("GET", "/api/work/500");
  dispatcher_.handle(cut);
  EXPECT_FALSE(cut.answer);
  turn_until_answered(cut);
  EXPECT_EQ(cut.answer->body, whole.answer->body);
}

// Of guests with the same time-out the one that has waited longer goes first, so none of them is
// held up by what an endless one has left of its time.
TEST_F(SchedulerTest, EndsFiniteWorkBesideEndlessOnes) {
  FakeExchange endless[] = {FakeExchange("GET", "/api/spin/"), FakeExchange("GET", "/api/spin/"),
                            FakeExchange("GET", "/api/spin/")};
  for (FakeExchange& exchange : endless) dispatcher_.handle(exchange);
  for (int i = 0; i < 20; ++i) turn();

  FakeExchange finite("GET", "/api/work/100");
  dispatcher_.handle(finite);
  EXPECT_FALSE(finite.answer);
  turn_until_answered(finite);

  for (const FakeExchange& exchange : endless) EXPECT_FALSE(exchange.answer);
}

// A function that has needed more than a quantum is expected to do so again.
TEST_F(SchedulerTest, RunsShortRequestsBeforeSlowArrivals) {
  Dispatcher dispatcher(TaskContext{*loop_, clock_, test::trap_guard(), page_, Milliseconds(50)},
                        registry_, *quarantine_);
  std::vector<std::unique_ptr<FakeExchange>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(std::make_unique<FakeExchange>("GET", "/api/spin/"));
    dispatcher.handle(*slow.back());
  }
  FakeExchange brief("GET", "/api/work/1");
  dispatcher.handle(brief);

  turn();
  turn();

  ASSERT_TRUE(brief.answer);
  EXPECT_EQ(brief.answer->status, 200);
}

TEST_F(SchedulerTest, EndsAGuestAtItsDeadlineWhileItWaits) {
  load(Milliseconds(60));
  std::vector<std::unique_ptr<FakeExchange>> endless;
  for (int i = 0; i < 20; ++i) {
    endless.push_back(std::make_unique<FakeExchange>("GET", "/api/spin/"));
    dispatcher_.handle(*endless.back());
  }
  for (const auto& exchange : endless) {
    turn_until_answered(*exchange);
    EXPECT_EQ(exchange->answer->status, 504);
  }
}

TEST_F(SchedulerTest, WakesSleepersWhileOthersCompute) {
  FakeExchange endless("GET", "/api/spin/");
  dispatcher_.handle(endless);
  FakeExchange sleeper("GET", "/api/naps/20");
  dispatcher_.handle(sleeper);

  turn_until_answered(sleeper);

  EXPECT_EQ(sleeper.answer->body, "7");
  EXPECT_FALSE(endless.answer);
}

// Were each of its naps to wait for the end of a slice, twenty would take as many quanta.
TEST_F(SchedulerTest, EndsASliceWhenASleeperIsDue) {
  constexpr Nanoseconds kQuantum = Milliseconds(50);
  Dispatcher dispatcher(TaskContext{*loop_, clock_, test::trap_guard(), page_, kQuantum}, registry_,
                        *quarantine_);
  FakeExchange endless("GET", "/api/spin/");
  dispatcher.handle(endless);
  FakeExchange sleeper("GET", "/api/naps/20");
  const TimePoint begin = clock_.now();
  dispatcher.handle(sleeper);

  turn_until_answered(sleeper);

  EXPECT_EQ(sleeper.answer->body, "7");
  EXPECT_FALSE(endless.answer);
  EXPECT_LT(clock_.now() - begin, 20 * kQuantum);
}

TEST_F(SchedulerTest, DropsAGuestWhoseClientHasLeft) {
  FakeExchange endless("GET", "/api/spin/");
  dispatcher_.handle(endless);
  turn();
  endless.gone = true;

  turn_until_answered(endless);

  EXPECT_EQ(endless.answer->status, 503);
}

TEST_F(SchedulerTest, DropsWaitingGuestsWhenItGoes) {
  FakeExchange endless("GET", "/api/spin/");
  {
    Dispatcher brief(TaskContext{*loop_, clock_, test::trap_guard(), page_}, registry_,
                     *quarantine_);
    brief.handle(endless);
  }
  turn();

  EXPECT_FALSE(endless.answer);
}

}  // namespace
}  // namespace nur
