// Stream functions whose client sends while they run, and takes what they send piece by piece.
#include "host/serve/stream_task.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "host/serve/dispatcher.h"
#include "tests/host/serve/fake_exchange.h"
#include "tests/host/serve/serving_test.h"
#include "tests/support/guest.h"

namespace nur {
namespace {

using test::FakeExchange;

// Sends "N:CHUNK;" for the Nth chunk, "N:.;" at the end. What it does besides depends on the
// chunk's first byte: e ends, l logs, t traps, b sends a MiB, s spins for ever.
constexpr std::string_view kTeller = R"((module
  (import "nur" "nur_send" (func $send (param i32 i32)))
  (import "nur" "nur_log" (func $log (param i32 i32)))
  (import "nur" "nur_end" (func $end))
  (memory (export "memory") 32)
  (data (i32.const 0) "0:.;")
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "poll_stream") (param $at i32) (param $n i32) (local $first i32)
    (i32.store8 (i32.const 0) (i32.add (i32.load8_u (i32.const 0)) (i32.const 1)))
    (call $send (i32.const 0) (i32.const 2))
    (if (local.get $n)
      (then (call $send (local.get $at) (local.get $n)) (call $send (i32.const 3) (i32.const 1))
        (local.set $first (i32.load8_u (local.get $at))))
      (else (call $send (i32.const 2) (i32.const 2))))
    (if (i32.eq (local.get $first) (i32.const 101)) (then (call $end)
      (call $send (i32.const 0) (i32.const 4)) (call $log (i32.const 0) (i32.const 4))))
    (if (i32.eq (local.get $first) (i32.const 108)) (then (call $log (local.get $at) (local.get $n))))
    (if (i32.eq (local.get $first) (i32.const 116)) (then unreachable))
    (if (i32.eq (local.get $first) (i32.const 98)) (then
      (call $send (i32.const 65536) (i32.const 1048576))))
    (if (i32.eq (local.get $first) (i32.const 115)) (then (loop $l (br $l)))))))";

class StreamTaskTest : public test::ServingTest {
 protected:
  void SetUp() override {
    add("teller", kTeller);
    load(std::chrono::seconds(60));
    raw_.raw = true;
    raw_.body_ended = false;
    raw_.request_.head.clear();
  }
  void load(Nanoseconds timeout) {
    FunctionLimits limits;
    limits.time.timeout = timeout;
    limits.pool.leased_max = 4;
    serve(limits);
  }
  void start() { dispatcher_.handle_raw(raw_, *registry_.find("teller")); }
  void deliver(std::string_view bytes, bool ends = false) {
    raw_.deliver(bytes, ends);
    turns();
  }

  FakeExchange raw_{"TCP", ""};
};

TEST_F(StreamTaskTest, KeepsItsStateFromChunkToChunk) {
  start();
  EXPECT_EQ(raw_.sent, "");
  deliver("a");
  EXPECT_EQ(raw_.sent, "1:a;");
  deliver("cd");
  EXPECT_TRUE(raw_.sent.starts_with("1:a;2:cd;"));
}

TEST_F(StreamTaskTest, SharesNoStateWithAnotherConnection) {
  start();
  FakeExchange other("TCP", "");
  other.raw = true;
  other.body_ended = false;
  other.request_.head.clear();
  dispatcher_.handle_raw(other, *registry_.find("teller"));
  deliver("x");
  deliver("x");
  other.deliver("y");
  turns();
  EXPECT_EQ(raw_.sent, "1:x;2:x;");
  EXPECT_EQ(other.sent, "1:y;");
}

TEST_F(StreamTaskTest, IsGivenAtMost1024BytesAtATime) {
  start();
  deliver(std::string(1500, 'x'));
  EXPECT_EQ(raw_.sent, "1:" + std::string(1024, 'x') + ";2:" + std::string(476, 'x') + ";");
}

TEST_F(StreamTaskTest, IsToldTheEndOnce) {
  start();
  deliver("a");
  deliver("", /*ends=*/true);
  EXPECT_EQ(raw_.sent, "1:a;2:.;");
  EXPECT_TRUE(raw_.ended);
}

TEST_F(StreamTaskTest, IsToldNothingBehindItsOwnEnd) {
  start();
  deliver("e");
  EXPECT_EQ(raw_.sent, "1:e;") << "what it sends behind nur_end is dropped";
  EXPECT_TRUE(raw_.ended);
}

TEST_F(StreamTaskTest, HasWhatItSentPassedOnBeforeItsTrap) {
  start();
  deliver("t");
  EXPECT_EQ(raw_.sent, "1:t;");
  EXPECT_TRUE(raw_.answer) << "the connection is closed";
}

TEST_F(StreamTaskTest, WaitsWhileItsClientTakesNothing) {
  start();
  raw_.unsent = Exchange::kUnsentBytesMax + 1;
  deliver("b");
  EXPECT_LE(raw_.sent.size(), NurStream::kHeldBytesMax + 10);
  raw_.unsent = 0;
  deliver("x");
  EXPECT_EQ(raw_.sent.size(), 4 + (std::size_t{1} << 20) + 4);
  EXPECT_TRUE(raw_.sent.ends_with("2:x;"));
}

// The time-out is each chunk's; silence of the client is nobody's fault here.
TEST_F(StreamTaskTest, LivesLongerThanItsTimeOut) {
  load(Milliseconds(500));
  start();
  for (int i = 0; i < 4; ++i) {
    deliver("x");
    const TimePoint end = clock_.now() + Milliseconds(200);
    while (clock_.now() < end) turns(1);
  }
  EXPECT_EQ(raw_.sent, "1:x;2:x;3:x;4:x;");
  EXPECT_FALSE(raw_.answer);
}

TEST_F(StreamTaskTest, IsStoppedWhenOneChunkTakesTooLong) {
  load(Milliseconds(200));
  start();
  raw_.deliver("s");
  for (int i = 0; i < 1000 && !raw_.answer; ++i) turns(1);
  EXPECT_EQ(raw_.sent, "1:s;");
  ASSERT_TRUE(raw_.answer);
  EXPECT_EQ(raw_.answer->status, 504);
}

TEST_F(StreamTaskTest, EndsWhenItsClientHasGone) {
  start();
  raw_.gone = true;
  deliver("");
  EXPECT_TRUE(raw_.answer);
}

TEST_F(StreamTaskTest, AnswersAWholeRequestWhole) {
  FakeExchange exchange("GET", "/teller");
  dispatcher_.handle(exchange);
  ASSERT_TRUE(exchange.answer);
  EXPECT_TRUE(exchange.answer->body.ends_with("2:.;"));
  EXPECT_EQ(exchange.sent, "");
}

TEST_F(StreamTaskTest, SendsBeforeTheRequestIsWhole) {
  FakeExchange exchange("POST", "/teller", "abc");
  exchange.body_ended = false;
  ASSERT_TRUE(dispatcher_.takes_early(exchange.request()));
  dispatcher_.handle(exchange);
  const std::string head = exchange.request().head;
  EXPECT_EQ(exchange.sent, "1:" + head + "abc;");
  exchange.deliver("def");
  turns();
  EXPECT_TRUE(exchange.sent.ends_with("2:def;"));
  exchange.deliver("", /*ends=*/true);
  turns();
  EXPECT_TRUE(exchange.sent.ends_with("3:.;"));
  EXPECT_TRUE(exchange.ended);
}

TEST_F(StreamTaskTest, IsAnswered502WhenWhatItSendsIsNoHttp) {
  FakeExchange exchange("POST", "/teller", "abc");
  exchange.body_ended = false;
  exchange.refuses_verbatim = "no response";
  dispatcher_.handle(exchange);
  ASSERT_TRUE(exchange.answer);
  EXPECT_EQ(exchange.answer->status, 502);
}

// Four instances, all held by clients that do not take a MiB; of what another one asks for.
class CrowdedStreamTest : public StreamTaskTest {
 protected:
  void SetUp() override {
    StreamTaskTest::SetUp();
    for (FakeExchange& slow : slow_) {
      slow.unsent = Exchange::kUnsentBytesMax + 1;
      slow.body_ended = false;
      dispatcher_.handle(slow);
      slow.deliver("b", /*ends=*/true);
      turns();
      ASSERT_FALSE(slow.ended);
    }
  }
  void ask() {
    dispatcher_.handle(next_);
    EXPECT_FALSE(next_.answer);
  }
  bool next_is_answered_within(Nanoseconds time) {
    for (const TimePoint end = clock_.now() + time; clock_.now() < end && !next_.answer;) turns(1);
    return next_.answer.has_value();
  }

  FakeExchange slow_[4] = {FakeExchange("POST", "/teller"), FakeExchange("POST", "/teller"),
                           FakeExchange("POST", "/teller"), FakeExchange("POST", "/teller")};
  FakeExchange next_{"GET", "/teller"};
};

TEST_F(CrowdedStreamTest, HoldsMoreForItsClientWhenOthersWait) {
  turns(200);
  for (const FakeExchange& slow : slow_) {
    EXPECT_EQ(slow.held_max, Exchange::kUnsentBytesMax) << "nobody waits yet";
  }
  ask();
  ASSERT_TRUE(next_is_answered_within(std::chrono::seconds(50)));
  turns(200);
  for (const FakeExchange& slow : slow_) {
    EXPECT_EQ(slow.held_max, FunctionLimits{}.output_bytes_max);
    EXPECT_TRUE(slow.ended) << "it has all of its answer";
  }
}

// Where there is no memory for more.
TEST_F(CrowdedStreamTest, CutsOffOneWhoseClientIsSlowWhenOthersWait) {
  for (FakeExchange& slow : slow_) slow.unsent = std::size_t{1} << 40;
  slow_[0].taken = slow_[1].taken = slow_[3].taken = std::uint64_t{1} << 40;
  ask();
  ASSERT_TRUE(next_is_answered_within(std::chrono::seconds(50)));
  EXPECT_EQ(next_.answer->status, 200);
  ASSERT_TRUE(slow_[2].answer) << "the others have quick clients";
  EXPECT_EQ(slow_[2].answer->status, 503);
  for (const int quick : {0, 1, 3}) EXPECT_FALSE(slow_[quick].answer);
}

TEST_F(CrowdedStreamTest, CutsOffNoMoreThanWait) {
  for (FakeExchange& slow : slow_) slow.unsent = std::size_t{1} << 40;
  ask();
  ASSERT_TRUE(next_is_answered_within(std::chrono::seconds(50)));
  turns(200);
  EXPECT_EQ(std::ranges::count_if(slow_, [](const auto& slow) { return slow.answer.has_value(); }),
            1);
}

// Guests are told a length, and a chunked body has none before its end.
TEST_F(StreamTaskTest, TakesNoChunkedRequestEarly) {
  FakeExchange exchange("POST", "/teller", "abc");
  exchange.request_.chunked = true;
  EXPECT_FALSE(dispatcher_.takes_early(exchange.request()));
}

// Clients that send slowly shall not hold all instances.
TEST_F(StreamTaskTest, TakesNoRequestEarlyWhenHalfOfItsInstancesAreInUse) {
  FakeExchange others[2] = {FakeExchange("POST", "/teller"), FakeExchange("POST", "/teller")};
  for (FakeExchange& other : others) {
    EXPECT_TRUE(dispatcher_.takes_early(other.request()));
    other.body_ended = false;
    dispatcher_.handle(other);
  }
  EXPECT_FALSE(dispatcher_.takes_early(others[0].request()));
}

// One that never asks for a body is answered when it has come, and keeps its connection.
TEST_F(StreamTaskTest, TakesRequestsEarlyForHandleFunctionsThatAskForTheirBody) {
  constexpr std::string_view kReads = R"((module
    (import "env" "request_body" (func (param i32 i64) (result i64)))
    (memory (export "memory") 1)
    (func (export "handle"))))";
  constexpr std::string_view kDoesNot = R"((module
    (import "env" "log" (func (param i32 i64)))
    (memory (export "memory") 1)
    (func (export "handle"))))";
  std::filesystem::copy_file(test::artefact_of(kReads), folder_.path() / "reads.so");
  std::filesystem::copy_file(test::artefact_of(kDoesNot), folder_.path() / "does_not.so");
  load(Milliseconds(5000));
  FakeExchange exchange("POST", "/reads", "abc");
  EXPECT_TRUE(dispatcher_.takes_early(exchange.request()));
  EXPECT_FALSE(dispatcher_.takes_early(FakeExchange("POST", "/does_not", "abc").request()));
}

TEST_F(StreamTaskTest, TakesNothingEarlyForAFunctionThatIsNotThere) {
  FakeExchange exchange("POST", "/nobody");
  EXPECT_FALSE(dispatcher_.takes_early(exchange.request()));
}

}  // namespace
}  // namespace nur
