#include "host/net/response_parser.h"

#include <string>

#include <gtest/gtest.h>

namespace nur {
namespace {

const std::string kOk = "HTTP/1.1 200 OK\r\n";

TEST(ParseResponse, ContentLengthKeepsTheConnection) {
  const std::string bytes = kOk + "Content-Length: 5\r\n\r\nhello";
  const auto parsed = parse_response(bytes, "GET");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->status, 200);
  EXPECT_EQ(parsed->bytes, bytes.size());
  EXPECT_TRUE(parsed->keep_alive);
  EXPECT_FALSE(parsed->until_close);
}

TEST(ParseResponse, ChunkedKeepsTheConnection) {
  const std::string bytes = kOk + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  const auto parsed = parse_response(bytes, "GET");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->bytes, bytes.size());
  EXPECT_TRUE(parsed->keep_alive);
}

TEST(ParseResponse, WithoutFramingReachesToTheEnd) {
  const std::string bytes = kOk + "\r\nanything at all\r\n\r\n";
  const auto parsed = parse_response(bytes, "GET");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->bytes, bytes.size());
  EXPECT_TRUE(parsed->until_close);
  EXPECT_FALSE(parsed->keep_alive);
}

TEST(ParseResponse, ExtraBytesAreCutAndEndTheConnection) {
  const std::string message = kOk + "Content-Length: 2\r\n\r\nok";
  const auto parsed = parse_response(message + "HTTP/1.1 200 OK\r\n\r\n", "GET");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->bytes, message.size());
  EXPECT_TRUE(parsed->extra_bytes);
  EXPECT_FALSE(parsed->keep_alive);
}

TEST(ParseResponse, HasNoBodyForHeadAnd204And304) {
  const std::string head = kOk + "Content-Length: 5\r\n\r\n";
  EXPECT_EQ(parse_response(head, "HEAD")->bytes, head.size());
  EXPECT_TRUE(parse_response(head, "HEAD")->keep_alive);
  EXPECT_EQ(parse_response(head + "hello", "HEAD")->bytes, head.size());
  for (const char* line :
       {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\n\r\n"}) {
    const auto parsed = parse_response(line, "GET");
    ASSERT_TRUE(parsed) << line;
    EXPECT_TRUE(parsed->keep_alive);
  }
}

TEST(ParseResponse, TakesInterimResponsesWithIt) {
  const std::string bytes =
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + kOk + "Content-Length: 0\r\n\r\n";
  const auto parsed = parse_response(bytes, "GET");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->status, 200);
  EXPECT_EQ(parsed->bytes, bytes.size());
}

TEST(ParseResponse, MayItselfAskToClose) {
  EXPECT_FALSE(
      parse_response(kOk + "Connection: x, Close\r\nContent-Length: 0\r\n\r\n", "GET")->keep_alive);
  EXPECT_FALSE(parse_response("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "GET")->keep_alive);
  EXPECT_TRUE(parse_response(
                  "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", "GET")
                  ->keep_alive);
}

TEST(ParseResponse, HeadsAtTheirLimits) {
  const auto with_headers = [](std::size_t count) {
    std::string head = kOk;
    for (std::size_t i = 0; i < count; ++i) head += "X: y\r\n";
    return head + "\r\n";
  };
  EXPECT_TRUE(parse_response(with_headers(99), "GET"));
  EXPECT_TRUE(parse_response(with_headers(100), "GET"));
  EXPECT_FALSE(parse_response(with_headers(101), "GET"));
  const auto of_size = [](std::size_t size) {
    const std::string empty = kOk + "X: \r\n\r\n";
    return kOk + "X: " + std::string(size - empty.size(), 'y') + "\r\n\r\n";
  };
  EXPECT_TRUE(parse_response(of_size((32 << 10) - 1), "GET"));
  EXPECT_TRUE(parse_response(of_size(32 << 10), "GET"));
  EXPECT_FALSE(parse_response(of_size((32 << 10) + 1), "GET"));
}

TEST(ParseResponse, NeedsNoReasonPhrase) {
  EXPECT_TRUE(parse_response("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "GET"));
  EXPECT_TRUE(parse_response("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "GET"));
}

TEST(ParseResponse, RefusesWhatIsNoWholeResponse) {
  const std::string cases[] = {
      "",
      "hello",
      "hello\r\n\r\n",
      kOk,
      kOk + "Content-Length: 5\r\n\r\nhell",
      kOk + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
      kOk + "Content-Length: -1\r\n\r\n",
      kOk + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      kOk + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
      kOk + "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
      kOk + "Transfer-Encoding: gzip\r\n\r\n",
      "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
      "HTTP/1.1 101 Switching Protocols\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\n",
      "HTTP/1.1 99 Low\r\n\r\n",
      "HTTP/1.1 2000 High\r\n\r\n",
      "HTTP/1.1 2x0 Odd\r\n\r\n",
      "HTTP/2.0 200 OK\r\n\r\n",
      "HTTP/1.1\r\n\r\n",
      kOk + "Bad Name: x\r\n\r\n",
      kOk + "X: a\r\n folded\r\n\r\n",
      kOk + std::string("X: a\0b\r\n\r\n", 10),
      kOk + ": empty\r\n\r\n",
  };
  for (const std::string& bytes : cases) {
    const auto parsed = parse_response(bytes, "GET");
    ASSERT_FALSE(parsed) << bytes;
    EXPECT_EQ(parsed.error().kind, ErrorKind::invalid_input);
  }
}

TEST(RecentHeads, SaysTheSameAsParseResponse) {
  const std::string length = "Content-Length: 2\r\n\r\n";
  const std::string responses[] = {
      kOk + length + "ok",
      kOk + length + "no",
      kOk + length + "okHTTP/1.1 200 OK\r\n\r\n",
      kOk + length + "o",
      kOk + "Date: x\r\nConnection: close\r\n" + length + "ok",
      "HTTP/1.1 100 Continue\r\n\r\n" + kOk + length + "ok",
      "HTTP/1.1 404 No\r\n" + length + "ok",
      "HTTP/1.1 304 No\r\n" + length,
      kOk + "\r\nuntil the end",
      kOk + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
      kOk + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
      kOk + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
      kOk + "X: " + std::string(2000, 'x') + "\r\n" + length + "ok",
      "no response",
      "",
  };
  RecentHeads recent;
  for (int round = 0; round < 3; ++round) {
    for (const std::string& response : responses) {
      for (const char* method : {"GET", "HEAD"}) {
        const auto expected = parse_response(response, method);
        const auto parsed = recent.parse(response, method);
        ASSERT_EQ(parsed.has_value(), expected.has_value()) << response;
        if (!expected) {
          EXPECT_EQ(parsed.error().message, expected.error().message);
          continue;
        }
        EXPECT_EQ(*parsed, *expected) << method << " " << response;
      }
    }
  }
}

}  // namespace
}  // namespace nur
