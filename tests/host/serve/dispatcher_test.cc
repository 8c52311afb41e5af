// Requests to functions of every ABI, and the answers to what can go wrong, without a network.
#include "host/serve/dispatcher.h"

#include <thread>

#include <gtest/gtest.h>

#include "host/serve/stream_task.h"
#include "tests/host/serve/fake_exchange.h"
#include "tests/host/serve/load_registry.h"
#include "tests/support/guest.h"

namespace nur {
namespace {

using test::FakeExchange;

// A stream function: what it sends depends on the fifth byte of the request ("GET /f", "POST /f").
constexpr std::string_view kStream = R"((module
  (import "nur" "nur_send" (func $send (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "poll_stream") (param $at i32) (param $n i32)
    (if (local.get $n) (then (call $send (local.get $at) (local.get $n)))))))";
constexpr std::string_view kSilent = R"((module
  (import "nur" "nur_end" (func $end))
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "poll_stream") (param i32 i32) (call $end))))";
constexpr std::string_view kTyped = R"((module
  (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "other"))))";
constexpr std::string_view kSpin = R"((module (func (export "run") (loop $l (br $l)))))";
// Copies its input to its output; sleeps 30 ms first when there is any.
constexpr std::string_view kCommand = R"((module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\10\00\00\00\10\00\00")
  (func (export "_start")
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 64)))
    (if (i32.eq (i32.load8_u (i32.const 4096)) (i32.const 0x21)) (then (call $exit (i32.const 3))))
    (i64.store (i32.const 152) (i64.const 30000000))
    (i32.store (i32.const 144) (i32.const 1))
    (if (i32.load (i32.const 64)) (then
      (drop (call $poll (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 64000)))))
    (i32.store (i32.const 4) (i32.load (i32.const 64)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64))))))";

class DispatcherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    put("stream", kStream);
    put("silent", kSilent);
    put("div", kTyped);
    put("spin", kSpin);
    put("spin_too", kSpin);
    put("command", kCommand);
    load(std::chrono::seconds(60));
  }
  // Again, with another time-out than one that never matters.
  void load(Nanoseconds timeout) {
    FunctionLimits limits;
    limits.time.timeout = timeout;
    limits.pool.leased_max = 1;
    limits.waiting_max = 2;
    load(limits);
  }
  void load(const FunctionLimits& limits) {
    Result<Registry> loaded =
        test::load_registry({folder_.path()}, limits, [](const Path& file, const Error& reason) {
          ADD_FAILURE() << file << ": " << reason.message;
        });
    ASSERT_TRUE(loaded);
    registry_ = *std::move(loaded);
  }
  void put(const std::string& name, std::string_view wat) {
    std::filesystem::copy_file(test::artefact_of(wat), folder_.path() / (name + ".so"));
  }

  // The answer, after turning the loop for as long as the guest sleeps.
  Response ask(FakeExchange& exchange) {
    dispatcher_.handle(exchange);
    for (int turn = 0; turn < 100'000 && !exchange.answer; ++turn) {
      EXPECT_TRUE(loop_->run_once(Milliseconds(10)));
    }
    EXPECT_TRUE(exchange.answer);
    return exchange.answer.value_or(Response{});
  }
  Response ask(std::string_view method, std::string_view target, std::string_view body = "") {
    FakeExchange exchange(method, target, body);
    return ask(exchange);
  }

  void turn_until_answered(const FakeExchange& exchange) {
    for (int turn = 0; turn < 100'000 && !exchange.answer; ++turn) {
      ASSERT_TRUE(loop_->run_once(Milliseconds(10)));
    }
    ASSERT_TRUE(exchange.answer);
  }
  static void expect_retry_after(const FakeExchange& exchange) {
    ASSERT_TRUE(exchange.answer);
    EXPECT_EQ(exchange.answer->status, 503);
    ASSERT_FALSE(exchange.answer->headers.empty());
    EXPECT_EQ(exchange.answer->headers.back().name, "Retry-After");
  }

  ScratchDir folder_ = *ScratchDir::create("nur-dispatcher-");
  SystemClock clock_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::open(clock_);
  Registry registry_;
  WorkerPage page_;
  std::unique_ptr<QuarantineTable> quarantine_ = std::make_unique<QuarantineTable>();
  Dispatcher dispatcher_{TaskContext{*loop_, clock_, test::trap_guard(), page_}, registry_,
                         *quarantine_};
};

TEST_F(DispatcherTest, GivesAStreamFunctionTheRequestAsItCame) {
  EXPECT_EQ(ask("POST", "/stream/a?b=c", "body").body,
            "POST /stream/a?b=c HTTP/1.1\r\nHost: example.test\r\n\r\nbody");
}

TEST_F(DispatcherTest, Answers404ForAnUnknownFunction) {
  EXPECT_EQ(ask("GET", "/nobody").status, 404);
  EXPECT_EQ(ask("GET", "/").status, 404);
}

TEST_F(DispatcherTest, Answers502WhenAStreamFunctionSendsNothing) {
  EXPECT_EQ(ask("GET", "/silent").status, 502);
}

TEST_F(DispatcherTest, AnswersTheResultOfATypedExport) {
  const Response response = ask("GET", "/api/div/84,2");

  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "42");
}

TEST_F(DispatcherTest, Answers400ForInputThatDoesNotFit) {
  EXPECT_EQ(ask("GET", "/api/div/84").status, 400);
  EXPECT_EQ(ask("GET", "/api/div/84,x").status, 400);
}

TEST_F(DispatcherTest, Answers405ForOtherMethodsBelowApi) {
  const Response response = ask("DELETE", "/api/div/84,2");

  EXPECT_EQ(response.status, 405);
  ASSERT_FALSE(response.headers.empty());
  EXPECT_EQ(response.headers.back().value, "GET, HEAD");
}

TEST_F(DispatcherTest, Answers404WhenAFunctionIsCalledTheWrongWay) {
  EXPECT_NE(ask("GET", "/div").body.find("/api/div/INPUT"), std::string::npos);
  EXPECT_NE(ask("GET", "/api/stream/1").body.find("at /stream"), std::string::npos);
}

TEST_F(DispatcherTest, Answers502ForATrap) {
  const Response response = ask("GET", "/api/div/1,0");

  EXPECT_EQ(response.status, 502);
  EXPECT_NE(response.body.find("integer divide by zero"), std::string::npos);
}

TEST_F(DispatcherTest, Answers504ForAGuestThatDoesNotReturn) {
  load(Milliseconds(200));
  EXPECT_EQ(ask("GET", "/api/spin/").status, 504);
}

TEST_F(DispatcherTest, AnswersTheTrimmedOutputOfACommand) {
  EXPECT_EQ(ask("GET", "/api/command/%20hi%0A").body, "hi");
}

TEST_F(DispatcherTest, ReadsTheOutputOfACommandAsCgi) {
  const Response response =
      ask("POST", "/command", "Status: 201 Made\nContent-Type: text/x\n\nbody");

  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "body");
}

TEST_F(DispatcherTest, Answers502WhenACommandPrintsNoCgi) {
  EXPECT_EQ(ask("POST", "/command", "no header").status, 502);
}

TEST_F(DispatcherTest, Answers502WhenACommandExitsWithAnotherStatusThanZero) {
  const Response response = ask("GET", "/api/command/!");

  EXPECT_EQ(response.status, 502);
  EXPECT_NE(response.body.find("status 3"), std::string::npos);
}

TEST_F(DispatcherTest, ServesOthersWhileAGuestSleeps) {
  FakeExchange sleeper("GET", "/api/command/zzz");
  dispatcher_.handle(sleeper);
  ASSERT_FALSE(sleeper.answer);

  EXPECT_EQ(ask("GET", "/api/div/84,2").body, "42");
  EXPECT_FALSE(sleeper.answer);
  for (int turn = 0; turn < 500 && !sleeper.answer; ++turn) {
    ASSERT_TRUE(loop_->run_once(Milliseconds(10)));
  }
  ASSERT_TRUE(sleeper.answer);
  EXPECT_EQ(sleeper.answer->body, "zzz");
}

TEST_F(DispatcherTest, KeepsARequestWaitingUntilAnInstanceIsFree) {
  FakeExchange sleeper("GET", "/api/command/zzz");
  dispatcher_.handle(sleeper);
  FakeExchange second("GET", "/api/command/b");
  dispatcher_.handle(second);
  FakeExchange third("GET", "/api/command/c");
  dispatcher_.handle(third);

  turn_until_answered(second);

  EXPECT_TRUE(sleeper.answer);
  EXPECT_FALSE(third.answer) << "it came later";
  EXPECT_EQ(second.answer->body, "b");
  turn_until_answered(third);
  EXPECT_EQ(third.answer->body, "c");
}

TEST_F(DispatcherTest, Answers503WithRetryAfterWhenNoInstanceIsFreeInTime) {
  load(Milliseconds(200));
  std::optional<Lease> lease = *registry_.find("command")->acquire();
  // For all that is known these have what others wait for.
  FakeExchange endless("GET", "/api/spin/");
  dispatcher_.handle(endless);
  FakeExchange waits("GET", "/api/command/b");
  const TimePoint start = clock_.now();
  dispatcher_.handle(waits);
  ASSERT_FALSE(waits.answer);
  FakeExchange later("GET", "/api/spin_too/");
  dispatcher_.handle(later);

  turn_until_answered(waits);

  EXPECT_GE(clock_.now() - start, Milliseconds(200));
  expect_retry_after(waits);
  turn_until_answered(endless);
  turn_until_answered(later);
}

TEST_F(DispatcherTest, Answers503AtOnceWhenNobodyWillGiveAnInstanceBack) {
  const Lease lease = *registry_.find("command")->acquire();
  FakeExchange exchange("GET", "/api/command/b");

  dispatcher_.handle(exchange);

  expect_retry_after(exchange);
}

TEST_F(DispatcherTest, Answers503WhenTooManyWait) {
  FakeExchange sleeper("GET", "/api/command/zzz");
  dispatcher_.handle(sleeper);
  FakeExchange first("GET", "/api/command/1");
  dispatcher_.handle(first);
  FakeExchange second("GET", "/api/command/2");
  dispatcher_.handle(second);

  FakeExchange third("GET", "/api/command/3");
  dispatcher_.handle(third);

  expect_retry_after(third);
  turn_until_answered(second);
  EXPECT_EQ(first.answer->body, "1");
  EXPECT_EQ(second.answer->body, "2");
}

TEST_F(DispatcherTest, GivesThePlaceOfAClientThatHasLeftToAnother) {
  FakeExchange sleeper("GET", "/api/command/zzz");
  dispatcher_.handle(sleeper);
  FakeExchange first("GET", "/api/command/1");
  dispatcher_.handle(first);
  FakeExchange second("GET", "/api/command/2");
  dispatcher_.handle(second);
  first.gone = true;

  FakeExchange third("GET", "/api/command/3");
  dispatcher_.handle(third);

  EXPECT_TRUE(first.answer);
  EXPECT_FALSE(third.answer);
  second.gone = true;
  turn_until_answered(third);
  EXPECT_EQ(second.answer->status, 503);
  EXPECT_EQ(third.answer->body, "3");
}

TEST_F(DispatcherTest, HasNobodyWaitWhereNobodyMay) {
  FunctionLimits limits;
  limits.pool.leased_max = 1;
  limits.waiting_max = 0;
  load(limits);
  FakeExchange sleeper("GET", "/api/command/zzz");
  dispatcher_.handle(sleeper);
  FakeExchange next("GET", "/api/command/1");
  dispatcher_.handle(next);
  ASSERT_TRUE(next.answer);
  EXPECT_EQ(next.answer->status, 503);
  turn_until_answered(sleeper);
}

// For the front to refuse what is larger (refusal_test.cc).
TEST_F(DispatcherTest, SaysHowLargeABodyEachFunctionTakes) {
  FunctionLimits limits;
  limits.body_bytes_max = 10;
  load(limits);
  const auto limit_of = [&](std::string_view path) {
    return dispatcher_.body_bytes_max(FakeExchange("POST", path).request());
  };
  EXPECT_EQ(limit_of("/stream"), 10U);
  EXPECT_EQ(limit_of("/command/further?x"), 10U);
  EXPECT_EQ(limit_of("/api/command/1"), 10U);
  EXPECT_EQ(limit_of("/nobody"), std::nullopt);
  EXPECT_EQ(limit_of("/%zz"), std::nullopt);
}

TEST_F(DispatcherTest, RefusesAtOnceWhatNoInstanceWouldHelp) {
  FakeExchange sleeper("GET", "/api/command/zzz");
  dispatcher_.handle(sleeper);

  FakeExchange exchange("DELETE", "/api/command/1");
  dispatcher_.handle(exchange);

  ASSERT_TRUE(exchange.answer);
  EXPECT_EQ(exchange.answer->status, 405);
  turn_until_answered(sleeper);
}

TEST_F(DispatcherTest, DoesNotWakeAGuestWhoseClientHasLeft) {
  FakeExchange sleeper("GET", "/api/command/zzz");
  dispatcher_.handle(sleeper);
  sleeper.gone = true;

  for (int turn = 0; turn < 500 && !sleeper.answer; ++turn) {
    ASSERT_TRUE(loop_->run_once(Milliseconds(10)));
  }

  ASSERT_TRUE(sleeper.answer);
  EXPECT_EQ(sleeper.answer->status, 503);
  EXPECT_EQ(ask("GET", "/api/command/b").body, "b") << "its instance is free again";
}

TEST_F(DispatcherTest, DropsSleepingTasksWhenItGoes) {
  FakeExchange sleeper("GET", "/api/command/zzz");
  {
    Dispatcher brief(TaskContext{*loop_, clock_, test::trap_guard(), page_}, registry_,
                     *quarantine_);
    brief.handle(sleeper);
  }
  std::this_thread::sleep_for(Milliseconds(40));
  ASSERT_TRUE(loop_->run_once(Milliseconds(0)));

  EXPECT_FALSE(sleeper.answer);
}

TEST(StreamInput, TurnsAChunkedBodyIntoOneWithALength) {
  FakeExchange exchange("POST", "/x", "hello");
  exchange.request_.chunked = true;
  exchange.request_.headers = {{"Host", "h"}, {"Transfer-Encoding", "chunked"}, {"X", "y"}};

  EXPECT_EQ(stream_input(exchange.request()),
            "POST /x HTTP/1.1\r\nHost: h\r\nX: y\r\nContent-Length: 5\r\n\r\nhello");
}

TEST_F(DispatcherTest, Answers503ForAFunctionInQuarantine) {
  quarantine_->hold(registry_.find("div")->number(), clock_.now() + std::chrono::seconds(90));
  loop_->run_once(Milliseconds(0));

  const Response answer = ask("GET", "/api/div/6,3");

  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.body.find("quarantined: the function has brought down its worker 3 times"),
            std::string::npos)
      << answer.body;
  ASSERT_FALSE(answer.headers.empty());
  EXPECT_EQ(answer.headers.back().name, "Retry-After");
  EXPECT_EQ(answer.headers.back().value, "90");
  EXPECT_EQ(page_.guests.quarantined, 1U);
}

TEST_F(DispatcherTest, IsOnNobodysAccountBehindARequest) {
  ask("GET", "/api/div/6,3");
  ask("GET", "/api/div/6,0");
  EXPECT_EQ(page_.function, 0U);
  EXPECT_GE(page_.turns, 2U);
  EXPECT_EQ(page_.guests.trapped, 1U);
}

}  // namespace
}  // namespace nur
