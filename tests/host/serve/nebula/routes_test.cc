// Guests called through Nebula's routes, without a network.
#include "host/serve/nebula/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/host/serve/fake_exchange.h"
#include "tests/host/serve/load_registry.h"
#include "tests/support/guest.h"

namespace nur {
namespace {

using test::FakeExchange;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kDouble = R"((module
  (func (export "double") (param i64) (result i64) (i64.mul (local.get 0) (i64.const 2)))))";
constexpr std::string_view kDivide = R"((module
  (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))))";
constexpr std::string_view kSpin = R"((module
  (func (export "spin") (param i32) (result i32) (loop $l (br $l)) (i32.const 0))))";
// Prints its input; with "!" in front it exits with 3.
constexpr std::string_view kEcho = R"((module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\10\00\00\00\10\00\00")
  (func (export "_start")
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 64)))
    (if (i32.eq (i32.load8_u (i32.const 4096)) (i32.const 0x21)) (then (call $exit (i32.const 3))))
    (i32.store (i32.const 4) (i32.load (i32.const 64)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64))))))";
constexpr std::string_view kStream = R"((module
  (import "nur" "nur_send" (func $send (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "HTTP/1.1 204 No Content\0d\0a\0d\0a")
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "poll_stream") (param i32 i32) (call $send (i32.const 0) (i32.const 27)))))";
constexpr std::string_view kConstant = R"((module
  (func (export "run") (result i32) (i32.const 77))))";

class NebulaRoutesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    put("double", kDouble);
    put("divide", kDivide);
    put("echo", kEcho);
    put("stream", kStream);
    load();
  }
  void put(const std::string& name, std::string_view wat) {
    std::filesystem::copy_file(test::artefact_of(wat), folder_.path() / (name + ".so"));
  }
  void load(Nanoseconds timeout = std::chrono::seconds(60)) {
    FunctionLimits limits;
    limits.time.timeout = timeout;
    registry_ =
        *test::load_registry({folder_.path()}, limits, [](const Path& file, const Error& reason) {
          ADD_FAILURE() << file << ": " << reason.message;
        });
  }
  void turn_until_answered(const FakeExchange& exchange) {
    for (int i = 0; i < 100'000 && !exchange.answer; ++i) {
      ASSERT_TRUE(loop_->run_once(Milliseconds(10)));
    }
    ASSERT_TRUE(exchange.answer);
  }
  Response ask(std::string_view method, std::string_view target, std::string_view form = "") {
    FakeExchange exchange(method, target, form);
    exchange.request_.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
    routes_.handle(exchange);
    turn_until_answered(exchange);
    return exchange.answer.value_or(Response{});
  }
  std::string form(std::string_view function, std::string_view input, std::string_view more = "") {
    return fmt::format("function_name={}&input={}&module_type=Wasm{}", function, input, more);
  }
  static std::string type_of(const Response& response) {
    for (const Header& header : response.headers) {
      if (header.name == "Content-Type") return header.value;
    }
    return "";
  }

  ScratchDir folder_ = *ScratchDir::create("nur-nebula-");
  SystemClock clock_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::open(clock_);
  Registry registry_;
  WorkerPage page_;
  std::unique_ptr<QuarantineTable> quarantine_ = std::make_unique<QuarantineTable>();
  Dispatcher dispatcher_{
      TaskContext{.loop = *loop_,
                  .clock = clock_,
                  .guard = test::trap_guard(),
                  .page = page_,
                  .quantum = Milliseconds(50)},  // so long that a busy machine switches nobody out
      registry_, *quarantine_};
  NebulaSettings settings_;
  std::shared_ptr<NebulaHistory> history_ = *NebulaHistory::open(std::nullopt);
  NebulaRoutes routes_{settings_, history_.get(), dispatcher_, registry_, *loop_, clock_};
};

TEST_F(NebulaRoutesTest, AnswersAHeadlessCallInJson) {
  const auto before = std::chrono::system_clock::now().time_since_epoch();
  const Response response = ask("POST", "/api/wasm_headless", form("double", "21", "&num_calls=3"));
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(type_of(response), StartsWith("text/plain"));
  const auto json = nlohmann::json::parse(response.body);
  ASSERT_EQ(json["results"].size(), 3U);
  for (const auto& result : json["results"]) {
    EXPECT_EQ(result["result"], "42");
    EXPECT_EQ(result["func_type"], "Wasm");
    EXPECT_EQ(result["func_name"], "double");
    EXPECT_EQ(result["input"], "21");
    EXPECT_EQ(result["base_image"], "N/A");
    const auto& metrics = result["metrics"];
    EXPECT_EQ(metrics["end_since_epoch"].get<std::uint64_t>(),
              metrics["start_since_epoch"].get<std::uint64_t>() +
                  metrics["total_runtime"].get<std::uint64_t>());
    EXPECT_LE(metrics["startup_time"], metrics["total_runtime"]);
    EXPECT_GE(metrics["start_since_epoch"].get<std::int64_t>(),
              std::chrono::duration_cast<std::chrono::microseconds>(before).count());
    EXPECT_TRUE(metrics["startup_percentage"].is_number_float());
  }
  EXPECT_TRUE(history_->newest_first().empty());
}
TEST_F(NebulaRoutesTest, RunsCommandsAndTrimsWhatTheyPrint) {
  const Response response = ask("POST", "/api/wasm_headless", form("echo", "+%20hi%0A"));
  EXPECT_EQ(nlohmann::json::parse(response.body)["results"][0]["result"], "hi");
}
TEST_F(NebulaRoutesTest, TakesSeveralArguments) {
  const Response response = ask("POST", "/api/wasm_headless", form("divide", "84,2"));
  EXPECT_EQ(nlohmann::json::parse(response.body)["results"][0]["result"], "42");
}
TEST_F(NebulaRoutesTest, MakesNoCallWhenNoneIsAskedFor) {
  EXPECT_EQ(ask("POST", "/api/wasm_headless", form("double", "1", "&num_calls=0")).body,
            R"({"results":[]})");
}
TEST_F(NebulaRoutesTest, MakesTheMostCallsOneAfterTheOther) {
  const Response response = ask("POST", "/api/wasm_headless", form("echo", "x", "&num_calls=255"));
  EXPECT_EQ(nlohmann::json::parse(response.body)["results"].size(), 255U);
}
TEST_F(NebulaRoutesTest, KeepsCallsOfFormsAndShowsThemNewestFirst) {
  for (const char* const route : {"/api/wasm", "/api/wasm/all", "/api/docker"}) {
    const Response response = ask("POST", route, form("echo", fmt::format("from{}", route)));
    EXPECT_EQ(response.status, 200);
    EXPECT_THAT(type_of(response), StartsWith("text/html"));
    EXPECT_THAT(response.body, HasSubstr(fmt::format("=&gt; from{}<", route)));
  }
  const std::string page = ask("GET", "/api/results").body;
  EXPECT_LT(page.find("from/api/docker"), page.find("from/api/wasm/all"));
  EXPECT_LT(page.find("from/api/wasm/all"), page.find("from/api/wasm<"));
  EXPECT_THAT(page, HasSubstr("Wasm: 3 calls"));
}
TEST_F(NebulaRoutesTest, EscapesWhatFunctionsPrint) {
  const std::string page = ask("POST", "/api/wasm", form("echo", "<script>alert(1)</script>")).body;
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(ask("GET", "/api/wasm/echo/%3Cscript%3E").body, Not(HasSubstr("<script")));
  EXPECT_THAT(ask("GET", "/api/wasm/%3Cscript%3E/1").body, Not(HasSubstr("<script")));
  EXPECT_THAT(ask("GET", "/api/results").body, Not(HasSubstr("<script")));
}
TEST_F(NebulaRoutesTest, AnswersOneCallWithAPage) {
  EXPECT_EQ(ask("GET", "/api/wasm/double/21").body,
            "<div><h1>double, input: 21</h1><p>Result was: 42</p></div>");
  EXPECT_EQ(ask("HEAD", "/api/wasm/echo/a/b%20c").body,
            "<div><h1>echo, input: a/b c</h1><p>Result was: a/b c</p></div>");
}
TEST_F(NebulaRoutesTest, AnswersAFailedCallWithAPageThatSaysSo) {
  const Response missing = ask("GET", "/api/wasm/none/1");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body,
            "<p>Whoops! Error!</p> <p style=\"color:red;\">404 Not Found: there is no function none"
            "</p>");
  EXPECT_EQ(ask("GET", "/api/wasm/divide/1,0").status, 502);
  EXPECT_EQ(ask("GET", "/api/wasm/divide/1").status, 400);
  EXPECT_EQ(ask("GET", "/api/wasm/echo/%zz").status, 400);
  EXPECT_EQ(ask("GET", "/api/wasm/stream/1").status, 404);
}
TEST_F(NebulaRoutesTest, StopsAtTheFirstCallThatFails) {
  const Response trap = ask("POST", "/api/wasm_headless", form("divide", "1,0", "&num_calls=9"));
  EXPECT_EQ(trap.status, 502);
  EXPECT_THAT(trap.body, HasSubstr("the function trapped: integer divide by zero"));
  EXPECT_EQ(page_.guests.trapped, 1U);
  const Response exit = ask("POST", "/api/wasm", form("echo", "!"));
  EXPECT_EQ(exit.status, 502);
  EXPECT_THAT(exit.body, HasSubstr("exited with status 3"));
  EXPECT_TRUE(history_->newest_first().empty());
}
TEST_F(NebulaRoutesTest, SaysThatThereAreNoContainers) {
  for (const char* const route : {"/api/wasm", "/api/docker", "/api/wasm_headless"}) {
    const Response response = ask("POST", route, "function_name=a&input=1&module_type=Docker");
    EXPECT_EQ(response.status, 501);
    EXPECT_THAT(response.body, HasSubstr("no containers"));
  }
}
TEST_F(NebulaRoutesTest, RefusesWhatIsNoForm) {
  FakeExchange exchange("POST", "/api/wasm_headless", "{}");
  exchange.request_.headers.push_back({"Content-Type", "application/json"});
  routes_.handle(exchange);
  ASSERT_TRUE(exchange.answer);
  EXPECT_EQ(exchange.answer->status, 415);
  EXPECT_EQ(ask("POST", "/api/wasm", "input=1").status, 422);
}
TEST_F(NebulaRoutesTest, RefusesAFormThatIsTooLarge) {
  EXPECT_EQ(ask("POST", "/api/wasm", std::string(NebulaRoutes::kFormBytesMax + 1, 'x')).status,
            413);
}
TEST_F(NebulaRoutesTest, RefusesToReadWhatIsPosted) {
  for (const char* const route :
       {"/api/wasm", "/api/docker", "/api/wasm/all", "/api/wasm_headless"}) {
    EXPECT_EQ(ask("GET", route).status, 405) << route;
  }
}
TEST_F(NebulaRoutesTest, RefusesMoreResultsThanFitIntoAnAnswer) {
  put("much", R"((module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 33)
    (data (i32.const 0) "\00\10\00\00\00\00\20\00")
    (func (export "_start")
      (memory.fill (i32.const 4096) (i32.const 120) (i32.const 2097152))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64))))))");
  load();
  EXPECT_EQ(ask("POST", "/api/wasm_headless", form("much", "1", "&num_calls=8")).status, 200);
  const Response response = ask("POST", "/api/wasm_headless", form("much", "1", "&num_calls=9"));
  EXPECT_EQ(response.status, 502);
  EXPECT_THAT(response.body, HasSubstr("larger than 16MiB"));
}
TEST_F(NebulaRoutesTest, ClampsInputsOfFormsOnly) {
  settings_.clamps = {{"double", 40}, {"echo", 5}};
  const auto input = [&](std::string_view function, std::string_view said) {
    const Response response = ask("POST", "/api/wasm_headless", form(function, said));
    return nlohmann::json::parse(response.body)["results"][0]["input"].get<std::string>();
  };
  EXPECT_EQ(input("double", "39"), "39");
  EXPECT_EQ(input("double", "41"), "40");
  EXPECT_EQ(input("double", "%2B7"), "7");
  EXPECT_EQ(input("double", "99999999999999999999"), "0");
  EXPECT_EQ(input("double", "-1"), "0");
  EXPECT_EQ(input("echo", "abc"), "0");
  EXPECT_EQ(input("divide", "84,2"), "84,2");
  EXPECT_THAT(ask("GET", "/api/wasm/double/41").body, HasSubstr("Result was: 82"));
  settings_.clamps.clear();
  EXPECT_EQ(input("double", "41"), "41");
}
TEST_F(NebulaRoutesTest, HasNebulasClampsByDefault) {
  EXPECT_EQ(settings_.clamps.size(), 5U);
  EXPECT_EQ(settings_.clamps.at("fibonacci-recursive"), 40U);
  EXPECT_EQ(settings_.clamps.at("prime-number"), 500'000U);
}
TEST_F(NebulaRoutesTest, LeavesFunctionsWhatIsTheirs) {
  put("wasm", kEcho);
  put("results", kConstant);
  load();
  EXPECT_EQ(ask("GET", "/api/wasm/double/21").body, "double/21");
  EXPECT_EQ(ask("GET", "/api/wasm").status, 200);
  EXPECT_EQ(ask("GET", "/api/results").body, "77");
  EXPECT_EQ(ask("POST", "/api/wasm", form("double", "1")).status, 200);
}
TEST_F(NebulaRoutesTest, ComesFirstWhenToldTo) {
  put("wasm", kEcho);
  put("results", kConstant);
  load();
  settings_.first = true;
  EXPECT_THAT(ask("GET", "/api/wasm/double/21").body, HasSubstr("Result was: 42"));
  EXPECT_THAT(ask("GET", "/api/results").body, HasSubstr("Wasm: 0 calls"));
}
TEST_F(NebulaRoutesTest, HasAPageForATypedFib) {
  EXPECT_EQ(ask("GET", "/fib/20").status, 404);
  put("fib", R"((module (func (export "fib") (param i32) (result i32) (local.get 0))))");
  load();
  EXPECT_THAT(ask("GET", "/fib/20").body,
              StartsWith("<div><h1>fib, input: 20</h1><p>Result was: 20</p><p>Total: "));
  EXPECT_EQ(ask("GET", "/fib/x").status, 400);
  EXPECT_EQ(ask("GET", "/fib/").status, 404);
  EXPECT_EQ(ask("POST", "/fib/20").status, 404);
}
TEST_F(NebulaRoutesTest, LeavesFibToACommandUnlessItComesFirst) {
  put("fib", kEcho);
  load();
  EXPECT_EQ(ask("GET", "/fib/20").status, 502);  // prints nothing, which is no CGI
  settings_.first = true;
  EXPECT_THAT(ask("GET", "/fib/20").body, HasSubstr("Result was: 20"));
}
TEST_F(NebulaRoutesTest, EndsACallThatTakesTooLong) {
  put("spin", kSpin);
  load(Milliseconds(50));
  const Response response = ask("POST", "/api/wasm_headless", form("spin", "1", "&num_calls=2"));
  EXPECT_EQ(response.status, 504);
}
TEST_F(NebulaRoutesTest, AnswersOthersMeanwhile) {
  put("spin", kSpin);
  load();
  FakeExchange slow("POST", "/api/wasm_headless", form("spin", "1"));
  slow.request_.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
  routes_.handle(slow);
  EXPECT_EQ(ask("GET", "/api/double/4").body, "8");
  EXPECT_EQ(ask("GET", "/api/wasm/double/4").status, 200);
  EXPECT_FALSE(slow.answer);
  slow.gone = true;
  turn_until_answered(slow);
}
TEST_F(NebulaRoutesTest, StopsCallingWhenTheClientHasGone) {
  put("spin", kSpin);
  load(std::chrono::seconds(60));
  FakeExchange gone("POST", "/api/wasm_headless", form("spin", "1", "&num_calls=200"));
  gone.request_.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
  routes_.handle(gone);
  EXPECT_FALSE(gone.answer);
  gone.gone = true;
  turn_until_answered(gone);
}
TEST_F(NebulaRoutesTest, TellsThatAFunctionIsQuarantined) {
  quarantine_->hold(registry_.find("double")->number(), loop_->now() + std::chrono::seconds(90));
  const Response response = ask("POST", "/api/wasm", form("double", "1"));
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, HasSubstr("quarantined"));
  EXPECT_EQ(response.headers.back().name, "Retry-After");
}
TEST_F(NebulaRoutesTest, LeavesOtherPathsAlone) {
  EXPECT_THAT(ask("GET", "/stream").body, StartsWith("HTTP/1.1 204 No Content\r\n\r\n"));
  EXPECT_EQ(ask("GET", "/api/double/5").body, "10");
  EXPECT_EQ(ask("GET", "/api/wasm/").status, 404);
  EXPECT_EQ(ask("GET", "/api/wasm//1").status, 404);
  EXPECT_EQ(ask("GET", "/api/").status, 404);
}

TEST_F(NebulaRoutesTest, WithoutAHistoryAFormAnswersItsOwnCallsOnly) {
  NebulaRoutes forgetful(settings_, nullptr, dispatcher_, registry_, *loop_, clock_);
  const auto ask_forgetful = [&](std::string_view method, std::string_view target,
                                 std::string_view text = "") {
    FakeExchange exchange(method, target, text);
    exchange.request_.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
    forgetful.handle(exchange);
    turn_until_answered(exchange);
    return exchange.answer.value_or(Response{});
  };
  EXPECT_EQ(ask_forgetful("POST", "/api/wasm", form("double", "4")).status, 200);
  const Response second = ask_forgetful("POST", "/api/wasm", form("double", "21"));
  EXPECT_THAT(second.body, HasSubstr("<p>21 =&gt; 42</p>"));
  EXPECT_THAT(second.body, HasSubstr("<p>Wasm: 1 call, "));
  EXPECT_THAT(second.body, Not(HasSubstr("<p>4 =&gt; 8</p>")));
  EXPECT_EQ(ask_forgetful("GET", "/api/results").status, 404);
  EXPECT_TRUE(history_->newest_first().empty());
}

}  // namespace
}  // namespace nur
