#include "host/serve/static_reply.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

// Keeps what it is answered.
class TestExchange final : public Exchange {
 public:
  explicit TestExchange(std::string path) { request_.path = std::move(path); }
  [[nodiscard]] const Request& request() const override { return request_; }
  void respond(Response response) override { answered = std::move(response); }
  bool respond_verbatim(std::string) override { return false; }
  [[nodiscard]] bool client_gone() const override { return false; }

  std::optional<Response> answered;

 private:
  Request request_;
};

class NotFound final : public RequestHandler {
 public:
  void handle(Exchange& exchange) override { exchange.respond(host_response(404, "")); }
};

StaticReply reply_of(std::string_view text) {
  Result<StaticReply> reply = parse_static_reply(text);
  EXPECT_TRUE(reply) << text;
  return *std::move(reply);
}

TEST(StaticReply, IsPathAndText) {
  const StaticReply reply = reply_of("/a=b=c");
  EXPECT_EQ(reply.path, "/a");
  EXPECT_EQ(reply.response.body, "b=c");
  EXPECT_EQ(reply_of("/=").path, "/");
  EXPECT_EQ(reply_of("/=").response.body, "");
}

TEST(StaticReply, RefusesWhatNoRequestCanReach) {
  for (const char* text : {"", "/a", "a=b", "=b", "/a b=c", "/a?b=c", "/a#b=c", "/\x80=c"}) {
    const Result<StaticReply> reply = parse_static_reply(text);
    ASSERT_FALSE(reply) << text;
    EXPECT_EQ(reply.error().kind, ErrorKind::invalid_input);
  }
}

TEST(StaticReplies, AnswerTheirPathsAndLeaveTheRest) {
  NotFound next;
  Result<StaticReplies> replies = StaticReplies::create({reply_of("/a=1"), reply_of("/b=2")}, next);
  ASSERT_TRUE(replies);
  const auto answer_at = [&](const char* path) {
    TestExchange exchange(path);
    replies->handle(exchange);
    return std::pair(exchange.answered->status, exchange.answered->body);
  };
  EXPECT_EQ(answer_at("/a"), (std::pair<int, std::string>(200, "1")));
  EXPECT_EQ(answer_at("/b"), (std::pair<int, std::string>(200, "2")));
  EXPECT_EQ(answer_at("/a/").first, 404);
  EXPECT_EQ(answer_at("/").first, 404);
}

TEST(StaticReplies, RefuseTwoForOnePath) {
  NotFound next;
  const Result<StaticReplies> replies =
      StaticReplies::create({reply_of("/a=1"), reply_of("/b=2"), reply_of("/a=3")}, next);
  ASSERT_FALSE(replies);
  EXPECT_EQ(replies.error().message, "two replies for /a");
}

}  // namespace
}  // namespace nur
