#include "host/net/http_response.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

std::string head_of(const Response& response, ResponseWriter::Framing framing = {}) {
  std::string out;
  ResponseWriter().write_head(response, framing, out);
  return out;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(ResponseWriter, AddsLengthAndDate) {
  Response response;
  response.body = "four";
  const std::string head = head_of(response);
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(contains(head, "\r\nContent-Length: 4\r\n"));
  EXPECT_TRUE(contains(head, " GMT\r\n"));
  EXPECT_FALSE(contains(head, "Connection"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
}

TEST(ResponseWriter, OwnsTheFraming) {
  Response response;
  response.headers = {{"content-length", "999"},   {"Transfer-Encoding", "chunked"},
                      {"Connection", "upgrade"},   {"Upgrade", "h2c"},
                      {"Keep-Alive", "timeout=5"}, {"X-Kept", "yes"}};
  const std::string head = head_of(response);
  EXPECT_FALSE(contains(head, "999"));
  EXPECT_FALSE(contains(head, "chunked"));
  EXPECT_FALSE(contains(head, "pgrade"));
  EXPECT_FALSE(contains(head, "timeout"));
  EXPECT_TRUE(contains(head, "X-Kept: yes\r\n"));
  EXPECT_TRUE(contains(head, "Content-Length: 0\r\n"));
}

TEST(ResponseWriter, GivesNoLengthToStatusesWithoutBody) {
  for (const int status : {100, 204, 304}) {
    Response response;
    response.status = status;
    response.body = "dropped";
    EXPECT_FALSE(contains(head_of(response), "Content-Length")) << status;
  }
}

TEST(ResponseWriter, SaysCloseAndToOldClientsKeepAlive) {
  EXPECT_TRUE(contains(head_of({}, {1, false}), "Connection: close\r\n"));
  EXPECT_TRUE(contains(head_of({}, {0, false}), "Connection: close\r\n"));
  EXPECT_TRUE(contains(head_of({}, {0, true}), "Connection: keep-alive\r\n"));
}

TEST(ResponseWriter, LeavesAGivenDateAndReasonAlone) {
  Response response;
  response.reason = "Fine";
  response.headers = {{"date", "Sun, 06 Nov 1994 08:49:37 GMT"}};
  const std::string head = head_of(response);
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 Fine\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
  EXPECT_FALSE(contains(head, "Date:"));
}

TEST(ResponseDefect, NoneInAnOrdinaryResponse) {
  Response response;
  response.headers = {{"X-Utf8", "gr\xc3\xbc\xc3\x9f"}, {"X-Tab", "a\tb"}, {"X-Empty", ""}};
  EXPECT_EQ(find_defect(response), std::nullopt);
}

TEST(ResponseDefect, HeadersThatWouldSplitTheResponse) {
  const Header bad[] = {{"X", "a\r\nSet-Cookie: b"},
                        {"X", "a\nb"},
                        {"X", "a\rb"},
                        {"X", std::string("a\0b", 3)},
                        {"X", "\x7f"},
                        {"X\r\nY", "a"},
                        {"", "a"},
                        {"X Y", "a"},
                        {"X:", "a"},
                        {"X\n", "a"},
                        {"\xc3\xbc", "a"}};
  for (const Header& header : bad) {
    Response response;
    response.headers = {header};
    EXPECT_TRUE(find_defect(response)) << header.name << ": " << header.value;
  }
  Response reason;
  reason.reason = "OK\r\nX: y";
  EXPECT_TRUE(find_defect(reason));
}

TEST(ResponseDefect, StatusOutsideFinalOnes) {
  for (const int status : {-1, 0, 99, 100, 101, 199, 600, 1000}) {
    Response response;
    response.status = status;
    EXPECT_TRUE(find_defect(response)) << status;
  }
  for (const int status : {200, 204, 299, 599}) {
    Response response;
    response.status = status;
    EXPECT_FALSE(find_defect(response)) << status;
  }
}

TEST(ResponseDefect, HeaderFloodAtItsLimits) {
  Response response;
  response.headers.assign(kResponseHeadersMax, {"X", "y"});
  EXPECT_FALSE(find_defect(response));
  response.headers.push_back({"X", "y"});
  EXPECT_TRUE(find_defect(response));

  response.headers = {{"X", std::string(kResponseHeadBytesMax - 5, 'y')}};
  EXPECT_FALSE(find_defect(response));
  response.headers[0].value += 'y';
  EXPECT_TRUE(find_defect(response));
}

}  // namespace
}  // namespace nur
