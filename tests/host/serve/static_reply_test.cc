#include "host/serve/static_reply.h"

#include <gtest/gtest.h>

#include "tests/host/serve/fake_exchange.h"

namespace nur {
namespace {

using test::FakeExchange;

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
    FakeExchange exchange("GET", path);
    replies->handle(exchange);
    return std::pair(exchange.answer->status, exchange.answer->body);
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
