#include "host/upload/upload_handler.h"

#include <gtest/gtest.h>

#include "tests/host/serve/fake_exchange.h"
#include "tests/support/craft_artefact.h"

namespace nur {
namespace {

using test::FakeExchange;

class UploadHandlerTest : public ::testing::Test {
 protected:
  // With the token, unless another one is given.
  static FakeExchange ask(std::string_view method, std::string_view target,
                          std::string_view body = "",
                          std::string_view authorization = "Bearer 0123456789abcdef") {
    FakeExchange exchange(method, target, body);
    if (!authorization.empty()) {
      exchange.request_.headers.push_back({"Authorization", authorization});
    }
    return exchange;
  }
  Response answer(std::string_view method, std::string_view target, std::string_view body = "") {
    FakeExchange asked = ask(method, target, body);
    handler_.handle(asked);
    EXPECT_TRUE(asked.answer);
    return asked.answer.value_or(Response{});
  }
  static std::string header(const Response& response, std::string_view name) {
    for (const Header& header : response.headers) {
      if (header.name == name) return header.value;
    }
    return "";
  }
  void turn() { ASSERT_TRUE(loop_->run_once(Milliseconds(0))); }

  const std::string good_ = test::good_artefact();
  const std::string module_ = std::string("\0asm\1\0\0\0", 8);
  ScratchDir scratch_ = *ScratchDir::create("upload-handler");
  ManualClock clock_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::open(clock_);
  UploadToken token_ = *UploadToken::of("0123456789abcdef");
  UploadFolder folder_ = *UploadFolder::open(scratch_.path());
  UploadHandler handler_{*loop_, token_, folder_};
};

TEST_F(UploadHandlerTest, StoresWhatTheVerifierPasses) {
  Response created = answer("PUT", "/a.so", good_);
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(created.body,
            fmt::format("{{\"name\":\"a.so\",\"function\":\"a\",\"bytes\":{},\"sha256\":\"{}\"}}\n",
                        good_.size(), to_hex(sha256(good_))));
  EXPECT_EQ(answer("PUT", "/a.so", good_).status, 200);
  EXPECT_EQ(*read_file(scratch_.path() / "a.so", 1 << 20), good_);
  EXPECT_EQ(answer("GET", "/").body,
            fmt::format("[{{\"name\":\"a.so\",\"bytes\":{}}}]\n", good_.size()));
  EXPECT_EQ(answer("DELETE", "/a.so").status, 204);
  EXPECT_EQ(answer("DELETE", "/a.so").status, 404);
  EXPECT_EQ(answer("GET", "/").body, "[]\n");
}

TEST_F(UploadHandlerTest, RefusesByTheVerifiersRule) {
  ASSERT_EQ(answer("PUT", "/a.so", good_).status, 201);
  std::string changed = good_;
  changed[changed.size() / 2] ^= 1;
  for (const std::string& bytes : {changed, good_.substr(0, good_.size() - 1), std::string(),
                                   std::string("no artefact"), module_}) {
    const Response refused = answer("PUT", "/a.so", bytes);
    EXPECT_EQ(refused.status, 422);
    EXPECT_NE(refused.body.find("refused by rule digest: "), std::string::npos) << refused.body;
  }
  EXPECT_EQ(*read_file(scratch_.path() / "a.so", 1 << 20), good_);
}

TEST_F(UploadHandlerTest, RefusesModulesThatBeginAsNone) {
  EXPECT_EQ(answer("PUT", "/m.wasm", module_ + "rest").status, 201);
  for (const std::string& bytes : {good_, std::string(), module_.substr(0, 7),
                                   std::string("(module)"), std::string("\0asm\2\0\0\0", 8)}) {
    const Response refused = answer("PUT", "/m.wasm", bytes);
    EXPECT_EQ(refused.status, 422);
    EXPECT_NE(refused.body.find("refused by rule module: "), std::string::npos) << refused.body;
  }
}

TEST_F(UploadHandlerTest, RefusesAModuleBehindAnArtefact) {
  ASSERT_EQ(answer("PUT", "/a.so", good_).status, 201);
  const Response refused = answer("PUT", "/a.wasm", module_);
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.body.find("DELETE /a.so first"), std::string::npos);
  EXPECT_FALSE(folder_.has("a.wasm"));
}

TEST_F(UploadHandlerTest, RefusesNamesMethodsAndQueries) {
  EXPECT_EQ(answer("PUT", "/..%2fa.so", good_).status, 400);
  EXPECT_EQ(answer("DELETE", "/.a.so").status, 400);
  EXPECT_EQ(answer("PUT", "/a.so?x", good_).status, 400);
  EXPECT_EQ(answer("PUT", "/a.so?", good_).status, 400);
  for (const char* method : {"GET", "POST", "PATCH", "OPTIONS"}) {
    const Response refused = answer(method, "/a.so");
    EXPECT_EQ(refused.status, 405) << method;
    EXPECT_EQ(header(refused, "Allow"), "PUT, DELETE");
  }
  const Response refused = answer("PUT", "/", good_);
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(header(refused, "Allow"), "GET, HEAD");
  EXPECT_EQ(answer("GET", "/").body, "[]\n");
}

TEST_F(UploadHandlerTest, TellsStrangersNothing) {
  for (const char* method : {"GET", "PUT", "DELETE", "POST"}) {
    for (const char* target : {"/", "/a.so", "/..%2fa"}) {
      FakeExchange asked = ask(method, target, good_, "");
      handler_.handle(asked);
      ASSERT_TRUE(asked.answer);
      EXPECT_EQ(asked.answer->status, 401);
      EXPECT_EQ(header(*asked.answer, "WWW-Authenticate"), "Bearer realm=\"nurhost\"");
    }
  }
  EXPECT_EQ(answer("GET", "/").body, "[]\n");
}

TEST_F(UploadHandlerTest, AnswersAWrongTokenLater) {
  turn();
  FakeExchange first = ask("PUT", "/a.so", good_, "Bearer 0123456789abcdeF");
  handler_.handle(first);
  clock_.advance(UploadHandler::kWrongTokenDelay / 2);
  turn();
  FakeExchange second = ask("PUT", "/a.so", good_, "Basic dXNlcjpwYXNz");
  handler_.handle(second);
  EXPECT_EQ(answer("GET", "/").status, 200);  // who has the token waits for nobody
  clock_.advance(UploadHandler::kWrongTokenDelay / 2 - Milliseconds(1));
  turn();
  EXPECT_FALSE(first.answer);
  clock_.advance(Milliseconds(1));
  turn();
  ASSERT_TRUE(first.answer);
  EXPECT_EQ(first.answer->status, 401);
  EXPECT_FALSE(second.answer);
  clock_.advance(UploadHandler::kWrongTokenDelay / 2);
  turn();
  ASSERT_TRUE(second.answer);
  EXPECT_EQ(second.answer->status, 401);
  EXPECT_FALSE(folder_.has("a.so"));
}

TEST_F(UploadHandlerTest, WaitsForNoBodyThatItWillNotTake) {
  const auto takes_early = [&](const FakeExchange& asked) {
    return handler_.takes_early(asked.request());
  };
  EXPECT_FALSE(takes_early(ask("PUT", "/a.so")));
  EXPECT_FALSE(takes_early(ask("PUT", "/a.wasm")));
  EXPECT_TRUE(takes_early(ask("PUT", "/a.so", "", "")));
  EXPECT_TRUE(takes_early(ask("PUT", "/a.so", "", "Bearer 0123456789abcdeF")));
  EXPECT_TRUE(takes_early(ask("PUT", "/a.txt")));
  EXPECT_TRUE(takes_early(ask("PUT", "/a.so?x")));
  EXPECT_TRUE(takes_early(ask("POST", "/a.so")));
}

}  // namespace
}  // namespace nur
