#include "host/net/http_message.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

TEST(HttpMessage, FindsAHeaderWhateverItsCase) {
  Request request;
  request.headers = {{"X-One", "1"}, {"x-one", "2"}};
  ASSERT_NE(request.header("X-ONE"), nullptr);
  EXPECT_EQ(*request.header("X-ONE"), "1");
  EXPECT_EQ(request.header("X-On"), nullptr);
}

TEST(HttpMessage, KnowsReasonPhrases) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(511), "Network Authentication Required");
  EXPECT_EQ(reason_phrase(299), "Unknown");
}

TEST(HttpMessage, HostResponsesSayStatusAndDetail) {
  EXPECT_EQ(host_response(404, "no function x").body, "404 Not Found: no function x\n");
  EXPECT_EQ(host_response(500, "").body, "500 Internal Server Error\n");
}

}  // namespace
}  // namespace nur
