#include "host/abi/handle/answer.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

HandleResponse hello() {
  HandleResponse set;
  set.status = 200;
  set.reason = "Ok";
  set.headers = {{"Content-length", "5"}};
  set.body = "hello";
  return set;
}

std::string refusal_of(const HandleResponse& set) {
  const Result<std::string> bytes = to_bytes(set);
  return bytes ? "sent" : bytes.error().message;
}

TEST(HandleAnswer, HasTheBytesThatServerlessWasmSends) {
  EXPECT_EQ(to_bytes(hello()), "HTTP/1.1 200 Ok\r\nContent-length: 5\r\n\r\nhello");
}

TEST(HandleAnswer, KeepsHeadersThatAreThereTwice) {
  HandleResponse set = hello();
  set.headers.push_back(set.headers[0]);
  EXPECT_EQ(to_bytes(set),
            "HTTP/1.1 200 Ok\r\nContent-length: 5\r\nContent-length: 5\r\n\r\nhello");
}

TEST(HandleAnswer, NeedsStatusAndBodyForExactBytes) {
  HandleResponse no_body = hello();
  no_body.body.reset();
  EXPECT_EQ(refusal_of(no_body), "the function ended without setting a body");
  HandleResponse no_status = hello();
  no_status.status.reset();
  EXPECT_EQ(refusal_of(no_status), "the function ended without setting a status");
}

TEST(HandleAnswer, LetsNothingBreakTheHead) {
  HandleResponse set = hello();
  set.reason = "Ok\r\nX: y";
  EXPECT_EQ(refusal_of(set),
            "the function's answer cannot be sent: the reason phrase has a control character");
  set = hello();
  set.headers.push_back({"X", "a\r\n\r\nHTTP/1.1 200 OK"});
  EXPECT_EQ(refusal_of(set),
            "the function's answer cannot be sent: the value of header X has a control character");
  set.headers.back() = {"X: y\r\nZ", ""};
  EXPECT_EQ(refusal_of(set),
            "the function's answer cannot be sent: the name of header 2 is no token");
  set = hello();
  set.status = 100;
  EXPECT_EQ(refusal_of(set),
            "the function's answer cannot be sent: status 100 is not between 200 and 599");
}

TEST(HandleAnswer, IsA200WhenOnlyABodyWasSet) {
  HandleResponse set;
  set.body = "hello";
  const Result<Response> response = to_response(set);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "hello");
}

TEST(HandleAnswer, IsEmptyWhenOnlyAStatusWasSet) {
  HandleResponse set;
  set.status = 204;
  const Result<Response> response = to_response(set);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 204);
  EXPECT_EQ(response->body, "");
}

TEST(HandleAnswer, IsNoneWhenNothingWasSet) {
  const Result<Response> response = to_response({});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().message, "the function ended without setting a response");
}

TEST(HandleAnswer, MayHaveItsLengthTwiceButNotWrongly) {
  HandleResponse set = hello();
  set.headers.push_back({"content-length", "5"});
  EXPECT_TRUE(to_response(set));

  set.headers.push_back({"Content-Length", "6"});
  const Result<Response> response = to_response(set);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().message,
            "the function set Content-Length to 6 for a body of 5 bytes; it may leave it out");
}

}  // namespace
}  // namespace nur
