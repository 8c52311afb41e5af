// CGI commands whose client sends while they run, and takes what they print piece by piece.
#include "host/serve/cgi_streams.h"

#include <array>

#include <gtest/gtest.h>

#include "host/serve/dispatcher.h"
#include "tests/host/serve/fake_exchange.h"
#include "tests/host/serve/serving_test.h"
#include "tests/support/guest.h"

namespace nur {
namespace {

using test::FakeExchange;

// Prints a head, then what it reads until there is no more. By the first byte of what it read it
// exits (a digit is the status), prints a MiB ('b'), or waits with poll_oneoff for input, for a
// minute ('p') or 10 ms ('q') at most, and prints which came.
constexpr std::string_view kCopier = R"((module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 20)
  (data (i32.const 100) "Content-Type: text/plain\n\n")
  (data (i32.const 200) "0123")
  (func $print (param $at i32) (param $n i32) (local $done i32)
    (loop $again
      (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $n))
      (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 99))))
      (local.set $done (i32.load (i32.const 8)))
      (local.set $at (i32.add (local.get $at) (local.get $done)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (local.get $done))))))
  (func $take (result i32)
    (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 512))
    (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 98))))
    (i32.load (i32.const 8)))
  (func (export "_start") (local $n i32) (local $first i32)
    (call $print (i32.const 100) (i32.const 26))
    (loop $next
      (if (local.tee $n (call $take)) (then
        (call $print (i32.const 1024) (local.get $n))
        (local.set $first (i32.load8_u (i32.const 1024)))
        (if (i32.eq (local.get $first) (i32.const 98)) (then
          (call $print (i32.const 65536) (i32.const 1048576))))
        (if (i32.lt_u (i32.sub (local.get $first) (i32.const 48)) (i32.const 10)) (then
          (call $exit (i32.sub (local.get $first) (i32.const 48)))))
        (if (i32.eq (i32.and (local.get $first) (i32.const 254)) (i32.const 112)) (then
          ;; Two subscriptions: the clock, 10 ms; standard input.
          (i64.store (i32.const 300) (i64.const 1)) (i64.store (i32.const 308) (i64.const 0))
          (i64.store (i32.const 316) (i64.const 1)) (i64.store (i32.const 324)
            (select (i64.const 10000000) (i64.const 60000000000)
                    (i32.eq (local.get $first) (i32.const 113))))
          (i64.store (i32.const 332) (i64.const 0)) (i64.store (i32.const 340) (i64.const 0))
          (i64.store (i32.const 348) (i64.const 2)) (i64.store (i32.const 356) (i64.const 1))
          (i64.store (i32.const 364) (i64.const 0))
          (i32.store (i32.const 316) (i32.const 1))
          (drop (call $poll (i32.const 300) (i32.const 500) (i32.const 2) (i32.const 600)))
          ;; Which came first, by its number.
          (call $print (i32.add (i32.const 200) (i32.load (i32.const 500))) (i32.const 1))))
        (br $next))))))
)";

class CgiStreams : public test::ServingTest {
 protected:
  void SetUp() override {
    add("copier", kCopier);
    FunctionLimits limits;
    limits.time.timeout = Milliseconds(5000);
    serve(limits);
    exchange_.body_ended = false;
  }
  void deliver(std::string_view bytes, bool ends = false) {
    exchange_.deliver(bytes, ends);
    turns();
  }

  FakeExchange exchange_{"POST", "/copier"};
};

TEST_F(CgiStreams, PrintAndReadWhileTheClientSends) {
  ASSERT_TRUE(dispatcher_.takes_early(exchange_.request()));
  dispatcher_.handle(exchange_);
  ASSERT_TRUE(exchange_.begun) << "the head is complete";
  EXPECT_EQ(exchange_.begun->status, 200);
  EXPECT_EQ(exchange_.promised, std::nullopt);
  deliver("abc");
  EXPECT_EQ(exchange_.sent, "abc");
  deliver(std::string(1000, 'x'));
  deliver("", /*ends=*/true);
  EXPECT_EQ(exchange_.sent, "abc" + std::string(1000, 'x'));
  EXPECT_TRUE(exchange_.ended);
}

// Decoded, and of no known length.
TEST_F(CgiStreams, ReadAChunkedBodyWhileTheClientSends) {
  exchange_.request_.chunked = true;
  ASSERT_TRUE(dispatcher_.takes_early(exchange_.request()));
  dispatcher_.handle(exchange_);
  deliver("abc");
  EXPECT_EQ(exchange_.sent, "abc");
  deliver("def", /*ends=*/true);
  EXPECT_EQ(exchange_.sent, "abcdef");
  EXPECT_TRUE(exchange_.ended);
}

TEST_F(CgiStreams, AnswerAWholeRequestWhole) {
  FakeExchange whole("POST", "/copier", "xyz");
  dispatcher_.handle(whole);
  ASSERT_TRUE(whole.answer);
  EXPECT_EQ(whole.answer->body, "xyz");
  EXPECT_FALSE(whole.begun);
}

TEST_F(CgiStreams, WaitWhileTheClientTakesNothing) {
  exchange_.unsent = Exchange::kUnsentBytesMax + 1;
  dispatcher_.handle(exchange_);
  deliver("b");
  EXPECT_LE(exchange_.sent.size(), CgiOutput::kHeldBytesMax + 10);
  exchange_.unsent = 0;
  deliver("", /*ends=*/true);
  turns();
  EXPECT_EQ(exchange_.sent.size(), 1 + (std::size_t{1} << 20));
  EXPECT_TRUE(exchange_.ended);
}

TEST_F(CgiStreams, FailBehindTheirHeadByCuttingOff) {
  dispatcher_.handle(exchange_);
  deliver("7");
  EXPECT_FALSE(exchange_.ended);
  ASSERT_TRUE(exchange_.answer) << "which cuts off an answer that has begun";
  EXPECT_EQ(exchange_.answer->status, 502);
}

TEST_F(CgiStreams, PollForInputWithoutHoldingUpAnybody) {
  dispatcher_.handle(exchange_);
  deliver("p");
  deliver("x");
  EXPECT_EQ(exchange_.sent, "p2x") << "input came before the time";

  FakeExchange late("POST", "/copier");
  late.body_ended = false;
  dispatcher_.handle(late);
  late.deliver("q");
  for (int i = 0; i < 5000 && late.sent.size() < 2; ++i) turns(1);
  EXPECT_EQ(late.sent, "q1") << "the time came without input";
}

TEST_F(CgiStreams, EndWhenTheClientHasGone) {
  dispatcher_.handle(exchange_);
  exchange_.gone = true;
  deliver("");
  EXPECT_TRUE(exchange_.answer);
}

TEST(CgiOutput, RefusesAHeadThatIsNone) {
  FakeExchange exchange("GET", "/");
  CgiOutput output(exchange);
  const std::string text = "no header\n\nbody";
  const std::array from = {std::as_bytes(std::span(text))};
  EXPECT_EQ(output.write(from).value(), text.size());
  output.pass_on();
  EXPECT_TRUE(output.wrong());
  EXPECT_FALSE(output.has_begun());
  EXPECT_EQ(output.write(from).error(), wasi::Errno::io);
}

TEST(CgiOutput, HoldsWhatHasNoHeadYet) {
  FakeExchange exchange("GET", "/");
  CgiOutput output(exchange);
  const std::string text = "Content-Type: text/plain\n";
  const std::array from = {std::as_bytes(std::span(text))};
  EXPECT_EQ(output.write(from).value(), text.size());
  output.pass_on();
  EXPECT_FALSE(output.has_begun());
  EXPECT_FALSE(output.wrong());
}

TEST(CgiOutput, PromisesTheLengthThatItsHeadSays) {
  FakeExchange exchange("GET", "/");
  CgiOutput output(exchange);
  const std::string text = "Content-Type: text/plain\nContent-Length: 10\n\nhel";
  const std::array from = {std::as_bytes(std::span(text))};
  EXPECT_EQ(output.write(from).value(), text.size());
  output.pass_on();
  EXPECT_TRUE(output.has_begun());
  EXPECT_EQ(exchange.promised, 10U);
  EXPECT_EQ(exchange.sent, "hel");
}

TEST(BodyInput, HasAnEnd) {
  FakeExchange exchange("POST", "/", "abc");
  BodyInput input(exchange);
  std::string room(2, '.');
  const std::array into = {std::as_writable_bytes(std::span(room))};
  EXPECT_TRUE(input.is_ready(wasi::EventType::fd_read));
  EXPECT_EQ(input.read(into).value(), 2U);
  EXPECT_EQ(room, "ab");
  EXPECT_EQ(input.read(into).value(), 1U);
  EXPECT_TRUE(input.is_ready(wasi::EventType::fd_read));
  EXPECT_EQ(input.read(into).value(), 0U);

  exchange.body_ended = false;
  EXPECT_FALSE(input.is_ready(wasi::EventType::fd_read));
}

}  // namespace
}  // namespace nur
