// Guests that wait for something outside, and who wakes them.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/serve/scheduler.h"
#include "tests/host/serve/fake_exchange.h"
#include "tests/support/guest.h"

namespace nur {
namespace {

using test::FakeExchange;
using test::OneCall;

// Goes through two doors, and computes in between for as long as it is told.
constexpr std::string_view kDoors = R"((module
  (import "nur" "nur_log" (func $door (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "poll_stream") (param i32 i32))
  (func (export "pass") (param $n i32)
    (call $door (i32.const 1) (i32.const 0))
    (loop $again (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $door (i32.const 2) (i32.const 0)))
  (func (export "spin") (param i32) (loop $l (br $l)))))";

struct Doors {
  std::uint32_t open = 0;  // those up to it
  HostReply closed = HostReply::wait();
  std::vector<std::uint32_t> asked;
  Waker waker;
  bool wakes_at_once = false;
};

HostReply ask(void* context, const GuestMemory&, nur_value* values) {
  auto& doors = *static_cast<Doors*>(context);
  doors.asked.push_back(values[0].i32);
  if (values[0].i32 <= doors.open) return HostReply::resume();
  if (doors.wakes_at_once) {
    doors.open = values[0].i32;
    doors.waker.wake();
  }
  return doors.closed;
}

HostFunction find_door(std::string_view) { return ask; }

class DoorTask final : public GuestTask {
 public:
  DoorTask(const TaskContext& context, Function& function, Lease lease, Exchange& exchange,
           Doors& doors, std::string_view entry = "pass")
      : GuestTask(context, function, std::move(lease), exchange),
        call_(function.module().manifest(), entry, {10}, &doors) {
    doors.waker = waker();
  }

 private:
  Invocation& invocation() override { return call_; }
  void answer(std::uint32_t) override { exchange().respond(host_response(200, "through")); }

  OneCall call_;
};

class WaitingTask : public ::testing::Test {
 protected:
  void SetUp() override { load(Milliseconds(5000)); }
  void load(Nanoseconds timeout) {
    FunctionSettings settings;
    settings.limits.time.timeout = timeout;
    function_ = *Function::load("doors", *VerifiedArtefact::read(test::artefact_of(kDoors)),
                                settings, modules_);
  }
  void start(FakeExchange& exchange, Doors& doors, std::string_view entry = "pass") {
    auto task = std::make_unique<DoorTask>(context_, *function_, *function_->acquire(), exchange,
                                           doors, entry);
    task->begin(clock_.now() + function_->limits().time.timeout);
    scheduler_.start(std::move(task), clock_.now());
  }
  void turn() { ASSERT_TRUE(loop_->run_once(Milliseconds(10))); }
  void turns(int count) {
    for (int i = 0; i < count; ++i) turn();
  }

  std::vector<HostModule> modules_{{"nur", find_door}};
  SystemClock clock_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::open(clock_);
  WorkerPage page_;
  // So long that a busy machine switches nobody out.
  TaskContext context_{*loop_, clock_, test::trap_guard(), page_, Milliseconds(50)};
  std::unique_ptr<Function> function_;
  int ended_ = 0;
  Scheduler scheduler_{context_, [this] { ++ended_; }};
};

TEST_F(WaitingTask, GoesOnWhenItIsWoken) {
  FakeExchange exchange("GET", "/");
  Doors doors;
  start(exchange, doors);
  EXPECT_EQ(scheduler_.kept(), 1U);
  turns(3);
  EXPECT_EQ(doors.asked.size(), 1U) << "nobody is asked who was not woken";

  doors.open = 2;
  doors.waker.wake();
  EXPECT_FALSE(exchange.answer) << "a guest never runs inside wake()";
  turn();

  ASSERT_TRUE(exchange.answer);
  EXPECT_EQ(doors.asked, (std::vector<std::uint32_t>{1, 1, 2}));
  EXPECT_EQ(scheduler_.kept(), 0U);
  EXPECT_EQ(ended_, 1);
}

TEST_F(WaitingTask, WaitsOnWhenItWasWokenForNothing) {
  FakeExchange exchange("GET", "/");
  Doors doors;
  start(exchange, doors);
  for (int i = 0; i < 3; ++i) {
    doors.waker.wake();
    doors.waker.wake();
    turn();
  }
  EXPECT_FALSE(exchange.answer);
  EXPECT_EQ(doors.asked, (std::vector<std::uint32_t>{1, 1, 1, 1}));
}

// What completes within the host call wakes a guest that is not parked yet.
TEST_F(WaitingTask, LosesNoWakeThatComesBeforeItIsParked) {
  FakeExchange exchange("GET", "/");
  Doors doors;
  doors.wakes_at_once = true;
  start(exchange, doors);
  turns(4);

  ASSERT_TRUE(exchange.answer);
  EXPECT_EQ(doors.asked, (std::vector<std::uint32_t>{1, 1, 2, 2}));
}

TEST_F(WaitingTask, MayBeWokenWhenItIsGone) {
  FakeExchange exchange("GET", "/");
  Doors doors;
  doors.open = 2;
  start(exchange, doors);
  ASSERT_TRUE(exchange.answer);

  doors.waker.wake();
  turns(2);
}

TEST_F(WaitingTask, MayBeWokenAndOverdueInOneTurn) {
  FakeExchange exchange("GET", "/");
  Doors doors;
  doors.closed = HostReply::wait(clock_.now() + Milliseconds(5));
  start(exchange, doors);
  while (clock_.now() < doors.closed.wake) {
  }
  doors.open = 2;
  doors.waker.wake();
  turns(2);

  EXPECT_TRUE(exchange.answer);
}

TEST_F(WaitingTask, IsAskedAgainAtItsTimeWithoutAWake) {
  FakeExchange exchange("GET", "/");
  Doors doors;
  doors.closed = HostReply::wait(clock_.now() + Milliseconds(5));
  start(exchange, doors);
  doors.open = 2;
  for (int i = 0; i < 1000 && !exchange.answer; ++i) turn();

  EXPECT_TRUE(exchange.answer);
}

TEST_F(WaitingTask, IsAnswered504AtItsDeadline) {
  load(Milliseconds(20));
  FakeExchange exchange("GET", "/");
  Doors doors;
  start(exchange, doors);
  for (int i = 0; i < 1000 && !exchange.answer; ++i) turn();

  ASSERT_TRUE(exchange.answer);
  EXPECT_EQ(exchange.answer->status, 504);
}

TEST_F(WaitingTask, IsNotEndedForTheTimeItsClientTakes) {
  load(Milliseconds(200));
  FakeExchange exchange("GET", "/");
  Doors doors;
  doors.closed = HostReply::wait_for_client();
  start(exchange, doors);
  const TimePoint end = clock_.now() + Milliseconds(500);
  while (clock_.now() < end) turn();
  EXPECT_FALSE(exchange.answer);

  doors.open = 2;
  doors.waker.wake();
  turns(2);
  ASSERT_TRUE(exchange.answer);
  EXPECT_EQ(exchange.answer->status, 200);
}

TEST_F(WaitingTask, OfAClientThatHasLeftIsDroppedWhenItIsWoken) {
  FakeExchange exchange("GET", "/");
  Doors doors;
  start(exchange, doors);
  exchange.gone = true;
  doors.waker.wake();
  turn();

  ASSERT_TRUE(exchange.answer);
  EXPECT_EQ(exchange.answer->status, 503);
  EXPECT_EQ(doors.asked.size(), 1U);
}

TEST_F(WaitingTask, GoesOnBesideEndlessOnes) {
  FakeExchange endless("GET", "/");
  Doors unused;
  start(endless, unused, "spin");
  FakeExchange exchange("GET", "/");
  Doors doors;
  start(exchange, doors);
  turns(3);
  doors.open = 2;
  doors.waker.wake();
  turns(3);

  EXPECT_TRUE(exchange.answer);
  EXPECT_FALSE(endless.answer);
}

TEST_F(WaitingTask, MayBeWokenInCrowds) {
  std::vector<std::unique_ptr<FakeExchange>> exchanges;
  std::vector<std::unique_ptr<Doors>> doors;
  for (int i = 0; i < 200; ++i) {
    exchanges.push_back(std::make_unique<FakeExchange>("GET", "/"));
    doors.push_back(std::make_unique<Doors>());
    start(*exchanges.back(), *doors.back());
  }
  EXPECT_EQ(scheduler_.kept(), 200U);
  for (const auto& door : doors) {
    door->open = 2;
    door->waker.wake();
  }
  for (int i = 0; i < 1000 && scheduler_.kept() > 0; ++i) turn();

  EXPECT_EQ(ended_, 200);
  for (const auto& exchange : exchanges) EXPECT_TRUE(exchange->answer);
}

}  // namespace
}  // namespace nur
