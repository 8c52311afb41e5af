#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "host/abi/cgi/response.h"

namespace nur {
namespace {

std::string header(const Response& response, std::string_view name) {
  std::string value = "(not there)";
  for (const Header& found : response.headers) {
    if (found.name == name) value = found.value;
  }
  return value;
}

ErrorKind refusal(std::string bytes) {
  const auto parsed = parse_cgi_response(std::move(bytes));
  if (parsed) {
    ADD_FAILURE() << "accepted";
    return ErrorKind::internal;
  }
  EXPECT_TRUE(parsed.error().message.starts_with("reading a CGI response"))
      << parsed.error().message;
  for (const char character : parsed.error().message) EXPECT_GE(character, ' ');
  return parsed.error().kind;
}

TEST(CgiResponse, IsHeadersAnEmptyLineAndABody) {
  const auto response =
      parse_cgi_response("Content-Type: text/plain\nX-Extra:  two words \n\nbody\n\nmore\r\n");

  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->reason, "");
  EXPECT_EQ(header(*response, "Content-Type"), "text/plain");
  EXPECT_EQ(header(*response, "X-Extra"), "two words");
  EXPECT_EQ(response->body, "body\n\nmore\r\n");
}

TEST(CgiResponse, MayEndItsLinesWithCrlf) {
  const auto response = parse_cgi_response("content-type: text/plain\r\nA: b\r\n\r\nbody");

  ASSERT_TRUE(response);
  EXPECT_EQ(header(*response, "content-type"), "text/plain");
  EXPECT_EQ(header(*response, "A"), "b");
  EXPECT_EQ(response->body, "body");
}

TEST(CgiResponse, KeepsAnyByteOfTheBody) {
  const std::string body("\0\r\n\xff\n\n", 6);

  EXPECT_EQ(parse_cgi_response("Content-Type: a/b\n\n" + body)->body, body);
}

TEST(CgiResponse, MayHaveAnEmptyBody) {
  EXPECT_EQ(parse_cgi_response("Content-Type: a/b\n\n")->body, "");
}

TEST(CgiResponse, TakesAStatusWithItsReason) {
  const auto response = parse_cgi_response("Status: 404 Not Here Either\nContent-Type: a/b\n\nx");

  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(response->reason, "Not Here Either");
  EXPECT_EQ(response->headers.size(), 1u);
}

TEST(CgiResponse, TakesAStatusAlone) {
  const auto response = parse_cgi_response("status:503\n\nlater");

  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(response->reason, "");
  EXPECT_EQ(response->body, "later");
}

TEST(CgiResponse, RedirectsWithLocationAlone) {
  const auto response = parse_cgi_response("Location: https://example.org/\n\n");

  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(header(*response, "Location"), "https://example.org/");
}

TEST(CgiResponse, LeavesAStatusBesideLocation) {
  EXPECT_EQ(parse_cgi_response("Location: /new\nStatus: 301\n\n")->status, 301);
  EXPECT_EQ(parse_cgi_response("Status: 201 Created\nLocation: /new\n\n")->status, 201);
}

TEST(CgiResponse, HasNoBodyWhereHttpAllowsNone) {
  EXPECT_EQ(parse_cgi_response("Status: 204\n\nx")->body, "");
  EXPECT_EQ(parse_cgi_response("Status: 304\n\nx")->body, "");
}

TEST(CgiResponse, KeepsRepeatedHeadersThatMayRepeat) {
  const auto response =
      parse_cgi_response("Content-Type: a/b\nSet-Cookie: a=1\nSet-Cookie: b=2\n\n");

  ASSERT_TRUE(response);
  EXPECT_EQ(response->headers.size(), 3u);
}

TEST(CgiResponse, DropsHeadersOfTheHost) {
  const auto response = parse_cgi_response(
      "Content-Type: a/b\nContent-Length: 99999\nTransfer-Encoding: chunked\nConnection: close\n"
      "Keep-Alive: x\nUpgrade: h2c\nTrailer: x\nTE: x\nDate: x\nproxy-connection: x\n"
      "CONTENT-LENGTH: 0\n\nbody");

  ASSERT_TRUE(response);
  EXPECT_EQ(response->headers.size(), 1u);
  EXPECT_EQ(response->body, "body");
}

TEST(CgiResponse, RefusesAnAnswerWithoutContentTypeStatusOrLocation) {
  EXPECT_EQ(refusal("X-Extra: 1\n\nbody"), ErrorKind::invalid_input);
  EXPECT_EQ(refusal("\nbody"), ErrorKind::invalid_input);
  EXPECT_EQ(refusal("\r\n\r\n"), ErrorKind::invalid_input);
}

TEST(CgiResponse, RefusesAnAnswerWithoutAnEmptyLine) {
  EXPECT_EQ(refusal(""), ErrorKind::invalid_input);
  EXPECT_EQ(refusal("hello"), ErrorKind::invalid_input);
  EXPECT_EQ(refusal("Content-Type: text/plain"), ErrorKind::invalid_input);
  EXPECT_EQ(refusal("Content-Type: text/plain\n"), ErrorKind::invalid_input);
  EXPECT_EQ(refusal("Content-Type: text/plain\r\nbody\r\n"), ErrorKind::invalid_input);
}

TEST(CgiResponse, RefusesALineThatIsNoHeader) {
  EXPECT_EQ(refusal("hello world\n\n"), ErrorKind::invalid_input);
  EXPECT_EQ(refusal("Content-Type: a/b\n folded\n\n"), ErrorKind::invalid_input);
  EXPECT_EQ(refusal("Content-Type: a/b\n\tfolded: x\n\n"), ErrorKind::invalid_input);
  EXPECT_EQ(refusal(": no name\nContent-Type: a/b\n\n"), ErrorKind::invalid_input);
}

TEST(CgiResponse, RefusesHeaderInjection) {
  using namespace std::string_literals;
  for (const std::string& bytes : {
           "Content-Type: a/b\nX: a\rSet-Cookie: evil=1\n\n"s,
           "Content-Type: a/b\nX: a\0b\n\n"s,
           "Content-Type: a/b\nX: a\x7f"s + "b\n\n"s,
           "Content-Type: a/b\nX: a\x0b\n\n"s,
           "Content-Type: a/b\nX\r: a\n\n"s,
           "Content-Type: a/b\nX Y: a\n\n"s,
           "Content-Type : a/b\n\n"s,
           "Content-Type: a/b\nX\0: a\n\n"s,
           "Content-Type: a/b\n(X): a\n\n"s,
           "Content-Type: a/b\nX\xc3\xa4: a\n\n"s,
           "Content-Type: a/b\r\r\n\r\n"s,
           "Status: 200 OK\rX-Evil: 1\n\n"s,
           "Location: /a\rSet-Cookie: evil=1\n\n"s,
           "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\n"s,
       }) {
    EXPECT_EQ(refusal(bytes), ErrorKind::invalid_input) << bytes;
  }
}

TEST(CgiResponse, RefusesAStatusThatIsNoFinalOne) {
  for (const char* status :
       {"", "abc", "20", "2000", "100", "101 Switching Protocols", "199", "600", "-20", "+200",
        "0x200", "2 00", "200OK", "99999999999999999999"}) {
    EXPECT_EQ(refusal("Status: " + std::string(status) + "\n\n"), ErrorKind::invalid_input)
        << status;
  }
}

TEST(CgiResponse, RefusesWhatMayBeThereOnlyOnce) {
  EXPECT_EQ(refusal("Status: 200\nstatus: 500\n\n"), ErrorKind::invalid_input);
  EXPECT_EQ(refusal("Content-Type: a/b\nContent-type: c/d\n\n"), ErrorKind::invalid_input);
  EXPECT_EQ(refusal("Location: /a\nLocation: /b\n\n"), ErrorKind::invalid_input);
}

TEST(CgiResponse, RefusesAnEmptyLocation) {
  EXPECT_EQ(refusal("Location:\n\n"), ErrorKind::invalid_input);
}

TEST(CgiResponse, RefusesMoreThan100Headers) {
  std::string most = "Content-Type: a/b\n";
  for (int i = 0; i < 99; ++i) most += "X-" + std::to_string(i) + ": 1\n";

  EXPECT_TRUE(parse_cgi_response(most + "\n"));
  EXPECT_EQ(refusal(most + "X-More: 1\n\n"), ErrorKind::limit_exceeded);
}

TEST(CgiResponse, CountsHeadersOfTheHostToo) {
  std::string bytes = "Content-Type: a/b\n";
  for (int i = 0; i < 100; ++i) bytes += "Content-Length: 1\n";

  EXPECT_EQ(refusal(bytes + "\n"), ErrorKind::limit_exceeded);
}

TEST(CgiResponse, RefusesMoreThan32KibibytesOfHeaders) {
  const std::string start = "Content-Type: a/b\nX: ";
  const std::string fits(32 * 1024 - start.size() - 1, 'x');

  EXPECT_TRUE(parse_cgi_response(start + fits + "\n\nbody"));
  EXPECT_EQ(refusal(start + fits + "x\n\nbody"), ErrorKind::limit_exceeded);
  EXPECT_EQ(refusal(std::string(40'000, 'x')), ErrorKind::limit_exceeded);
  EXPECT_TRUE(parse_cgi_response("Content-Type: a/b\n\n" + std::string(1 << 20, 'x')));
}

}  // namespace
}  // namespace nur
