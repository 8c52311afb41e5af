#include "host/net/http_parser.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/host/net/parse_all.h"

namespace nur {
namespace {

const std::string kHost = "Host: a\r\n";

std::string get(const std::string& headers) {
  return "GET / HTTP/1.1\r\n" + kHost + headers + "\r\n";
}

Request only(const std::string& bytes) {
  const Parsed parsed = parse_all(bytes);
  EXPECT_EQ(parsed.status, 0) << parsed.detail << "\n" << bytes;
  EXPECT_EQ(parsed.requests.size(), 1u);
  EXPECT_TRUE(parsed.rest.empty());
  return parsed.requests.empty() ? Request() : copy_of(parsed.requests[0]);
}

TEST(HttpParser, ReadsARequest) {
  const std::string bytes =
      "GET /hello/a%20b?x=1&y HTTP/1.1\r\nHost: example.org:80\r\nX-Empty:\r\nX-Blanks: \t a b "
      "\t\r\n"
      "\r\n";
  const Request request = only(bytes);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/hello/a%20b?x=1&y");
  EXPECT_EQ(request.path, "/hello/a%20b");
  EXPECT_EQ(request.query, "x=1&y");
  EXPECT_EQ(request.version_minor, 1);
  EXPECT_EQ(request.head, bytes);
  ASSERT_EQ(request.headers.size(), 3u);
  EXPECT_EQ(request.headers[0].name, "Host");
  EXPECT_EQ(*request.header("host"), "example.org:80");
  EXPECT_EQ(*request.header("x-empty"), "");
  EXPECT_EQ(*request.header("x-blanks"), "a b");
  EXPECT_EQ(request.body, "");
  EXPECT_FALSE(request.chunked);
}

TEST(HttpParser, ReadsBodiesOfBothFramings) {
  const Request sized = only("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(sized.body, "hello");
  EXPECT_FALSE(sized.chunked);
  const Request chunked = only(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n"
      "X-Trailer: 1\r\n\r\n");
  EXPECT_EQ(chunked.body, "hello");
  EXPECT_TRUE(chunked.chunked);
  EXPECT_EQ(chunked.header("x-trailer"), nullptr);
}

TEST(HttpParser, ForgetsTheRequestBefore) {
  const Parsed parsed = parse_all(
      "POST /a?b HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nContent-Length: 3\r\n\r\nabc"
      "GET /c HTTP/1.0\r\n\r\n");
  ASSERT_EQ(parsed.requests.size(), 2u) << parsed.detail;
  const Request& second = parsed.requests[1];
  EXPECT_EQ(second.path, "/c");
  EXPECT_EQ(second.query, "");
  EXPECT_EQ(second.body, "");
  EXPECT_TRUE(second.headers.empty());
  EXPECT_EQ(second.version_minor, 0);
}

TEST(HttpParser, ARepeatedHeadMeansTheSame) {
  const std::string post =
      "POST http://b.test/a?b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n"
      "Content-Length: 3\r\n\r\n";
  const std::string chunked =
      "PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
  const std::string bytes = post + "one" + post + "two" + chunked + chunked + "\r\n" + chunked +
                            get("") + get("") + post + "POS" + post + "end";
  const Parsed whole = parse_all(bytes);
  ASSERT_EQ(whole.requests.size(), 9u) << whole.detail;
  for (const std::size_t i : {0, 1, 7, 8}) {
    EXPECT_EQ(whole.requests[i].target, "http://b.test/a?b") << i;
    EXPECT_EQ(*whole.requests[i].header("host"), "b.test") << i;
  }
  EXPECT_EQ(whole.requests[1].body, "two");
  EXPECT_EQ(whole.requests[4].body, "ok");
  EXPECT_EQ(whole.requests[7].body, "POS");
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    EXPECT_EQ(describe(parse_all(bytes, {cut})), describe(whole)) << cut;
  }
  EXPECT_EQ(describe(parse_all(bytes, every_byte(bytes))), describe(whole));

  const HttpLimits limits;
  RequestParser parser(limits);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(parser.parse(post).step, RequestParser::Step::need_more);
    EXPECT_TRUE(parser.in_body());
    EXPECT_TRUE(parser.expects_continue());
    EXPECT_FALSE(parser.keep_alive());
    EXPECT_EQ(parser.parse("abc").step, RequestParser::Step::complete);
    parser.start_next();
    if (i == 1) parser.release_buffers();
  }
}

TEST(HttpParser, ARepeatedHeadThatIsLongIsReadAgain) {
  const std::string bytes = get("X: " + std::string(10'000, 'x') + "\r\n");
  const HttpLimits limits;
  RequestParser parser(limits);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(parser.parse(bytes).step, RequestParser::Step::complete);
    EXPECT_EQ(parser.request().head, bytes);
    EXPECT_EQ(parser.request().header("x")->size(), 10'000u);
    parser.start_next();
    parser.release_buffers();
  }
}

TEST(HttpParser, AHeadThatOnlyBeginsLikeTheOneBeforeIsRefused) {
  const Parsed parsed = parse_all(get("X: 1\r\n") + "GET / HTTP/1.1\r\n" + kHost + "X: 1\n\r\n");
  EXPECT_EQ(parsed.requests.size(), 1u);
  EXPECT_EQ(parsed.status, 400);
}

TEST(HttpParser, SplitAnywhereGivesTheSameRequests) {
  const std::string bytes =
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nX-Y: some value\r\n\r\nhello world"
      "\r\nGET /b?q HTTP/1.1\r\nHost: b\r\n\r\n"
      "PUT /c HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nwiki\r\n0\r\nT: "
      "1\r\n\r\n"
      "GET /d HTTP/1.0\r\n\r\n";
  const Parsed whole = parse_all(bytes);
  ASSERT_EQ(whole.requests.size(), 4u) << whole.detail;
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    EXPECT_EQ(describe(parse_all(bytes, {cut})), describe(whole)) << cut;
  }
  EXPECT_EQ(describe(parse_all(bytes, every_byte(bytes))), describe(whole));
}

TEST(HttpParser, SplitAnywhereGivesTheSameRefusal) {
  const std::string cases[] = {
      get("Content-Length: 1\r\nContent-Length: 1\r\n"),
      get("X: a\n"),
      get("X : a\r\n"),
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\nwiki",
      "GET / HTTP/3.0\r\n\r\n",
      "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"};
  for (const std::string& bytes : cases) {
    const Parsed whole = parse_all(bytes);
    ASSERT_NE(whole.status, 0) << bytes;
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      EXPECT_EQ(describe(parse_all(bytes, {cut})), describe(whole)) << bytes << cut;
    }
    EXPECT_EQ(describe(parse_all(bytes, every_byte(bytes))), describe(whole)) << bytes;
  }
}

TEST(HttpParser, ThousandPipelinedRequestsComeOutInOrder) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) {
    const std::string body(static_cast<std::size_t>(i % 7), 'x');
    bytes += "POST /" + std::to_string(i) +
             " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
             body;
  }
  const Parsed parsed = parse_all(bytes);
  ASSERT_EQ(parsed.requests.size(), 1000u) << parsed.detail;
  for (std::size_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(parsed.requests[i].path, "/" + std::to_string(i));
    EXPECT_EQ(parsed.requests[i].body.size(), i % 7);
  }
}

TEST(HttpParser, KeepsTheConnectionByVersionAndHeader) {
  const std::pair<std::string, bool> cases[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: y, CLOSE\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true},
      {"GET / HTTP/1.0\r\n\r\n", false},
      {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
      {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
  };
  for (const auto& [bytes, keep_alive] : cases) {
    const HttpLimits limits;
    RequestParser parser(limits);
    ASSERT_EQ(parser.parse(bytes).step, RequestParser::Step::complete) << bytes;
    EXPECT_EQ(parser.keep_alive(), keep_alive) << bytes;
  }
}

TEST(HttpParser, ReadsEveryFormOfTarget) {
  const auto with_target = [](const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  EXPECT_EQ(only(with_target("//x//y/..?")).path, "//x//y/..");
  EXPECT_EQ(only(with_target("/?a?b")).query, "a?b");
  EXPECT_EQ(only("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").path, "*");

  const Request absolute = only(with_target("HTTP://b.example:81/p/q?r"));
  EXPECT_EQ(absolute.path, "/p/q");
  EXPECT_EQ(absolute.query, "r");
  EXPECT_EQ(absolute.target, "HTTP://b.example:81/p/q?r");
  EXPECT_EQ(*absolute.header("host"), "b.example:81");
  EXPECT_EQ(only(with_target("https://b")).path, "/");
  EXPECT_EQ(only(with_target("http://b?x=/")).path, "/");
  EXPECT_EQ(only(with_target("http://b?x=/")).query, "x=/");
}

TEST(HttpParser, SkipsAnEmptyLineBeforeARequest) {
  const Request request = only("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(request.head.starts_with("GET"));
  EXPECT_EQ(parse_all("\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 400);
  EXPECT_EQ(parse_all("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 400);
}

TEST(HttpParser, ExpectationsConcernBodiesOfHttp11) {
  const auto expects = [](const std::string& bytes) {
    const HttpLimits limits;
    RequestParser parser(limits);
    parser.parse(bytes);
    return parser.expects_continue();
  };
  const std::string expect = "Expect: 100-Continue\r\n";
  EXPECT_TRUE(expects("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n" + expect + "\r\n"));
  EXPECT_TRUE(
      expects("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + expect + "\r\n"));
  EXPECT_FALSE(expects("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" + expect + "\r\n"));
  EXPECT_FALSE(expects("POST / HTTP/1.0\r\nContent-Length: 1\r\n" + expect + "\r\n"));
  EXPECT_EQ(parse_all(get("Expect: tea\r\n")).status, 417);
}

// Request smuggling and its relatives: every row is a message that some reader frames otherwise.
TEST(HttpParser, RefusesAmbiguousFraming) {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::pair<int, std::string> cases[] = {
      {400, get(chunked + "Content-Length: 5\r\n")},
      {400, get("Content-Length: 5\r\n" + chunked)},
      {400, get("Content-Length: 0\r\nContent-Length: 0\r\n")},
      {400, get("Content-Length: 5\r\nContent-Length: 6\r\n")},
      {400, get("Content-Length: 5, 5\r\n")},
      {400, get("Content-Length:\r\n")},
      {400, get("Content-Length: +5\r\n")},
      {400, get("Content-Length: -5\r\n")},
      {400, get("Content-Length: 0x5\r\n")},
      {400, get("Content-Length: 5 5\r\n")},
      {400, get("Content-Length: 5x\r\n")},
      {400, get("Content-Length: 5.0\r\n")},
      {400, get("Content-Length: 5\t\r\n")},
      {400, get("Content-Length: 5 \t \r\n")},
      {400, get("Content-Length: 0000000000000000005\r\n")},   // 19 digits
      {400, get("Content-Length: 18446744073709551616\r\n")},  // 2^64
      {413, get("Content-Length: 999999999999999999\r\n")},    // 18 digits
      {400, get(chunked + chunked)},
      {400, get("Transfer-Encoding: chunked, chunked\r\n")},
      {400, get("Transfer-Encoding:\r\n")},
      {400, get("Transfer-Encoding: ,chunked\r\n")},
      {400, get("Transfer-Encoding: chunked;q=1\r\n")},
      {400, get("Transfer-Encoding: \"chunked\"\r\n")},
      {400, get("Transfer-Encoding: \x0b"
                "chunked\r\n")},
      {400, get("Transfer-Encoding: chunked\x0c\r\n")},
      {501, get("Transfer-Encoding: gzip\r\n")},
      {501, get("Transfer-Encoding: identity\r\n")},
      {501, get("Transfer-Encoding: gzip, chunked\r\n")},
      {501, get("Transfer-Encoding: chunked, gzip\r\n")},
      {501, get("Transfer-Encoding: xchunked\r\n")},
      {501, get("Transfer-Encoding: gzip\r\n" + chunked)},
      {400, "POST / HTTP/1.0\r\n" + chunked + "\r\n0\r\n\r\n"},
  };
  for (const auto& [status, bytes] : cases) {
    const Parsed parsed = parse_all(bytes);
    EXPECT_EQ(parsed.status, status) << bytes << parsed.detail;
    EXPECT_TRUE(parsed.requests.empty()) << bytes;
  }
}

TEST(HttpParser, RefusesMalformedLines) {
  const std::string cases[] = {
      get("X: a\r\n folded\r\n"),
      get("X: a\r\n\tfolded\r\n"),
      "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
      get("X: a\n"),
      get("X: a\rY: b\r\n"),
      get("X: a\r\r\n"),
      "GET / HTTP/1.1\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n\n",
      "GET / HTTP/1.1\r\nHost: a\n\r\n",
      "GET / HTTP/1.1\rHost: a\r\n\r\n",
      get(std::string("X: a\0b\r\n", 8)),
      get(std::string("X\0: a\r\n", 7)),
      get("X : a\r\n"),
      get("X\t: a\r\n"),
      get(": a\r\n"),
      get("X\r\n"),
      get("X Y: a\r\n"),
      get("X(: a\r\n"),
      get("\x80: a\r\n"),
      get("X: \x01\r\n"),
      get("X: \x7f\r\n"),
      get("Content-Length : 5\r\n"),
      get("Transfer-Encoding : chunked\r\n"),
      "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
  };
  for (const std::string& bytes : cases) {
    const Parsed parsed = parse_all(bytes);
    EXPECT_EQ(parsed.status, 400) << bytes << parsed.detail;
    EXPECT_TRUE(parsed.requests.empty()) << bytes;
  }
}

TEST(HttpParser, RefusesMalformedRequestLines) {
  const auto line = [](const std::string& text) { return text + "\r\nHost: a\r\n\r\n"; };
  const std::pair<int, std::string> cases[] = {
      {400, line("GET /")},
      {400, line("GET")},
      {400, line("GET  HTTP/1.1")},
      {400, line("GET  / HTTP/1.1")},
      {400, line("GET / x HTTP/1.1")},
      {400, line("GET /  HTTP/1.1")},
      {400, line("GET\t/ HTTP/1.1")},
      {400, line("GET / HTTP/1.1 ")},
      {400, line("GET / HTTP/1.1x")},
      {400, line("GET / HTTP/1")},
      {400, line("GET / http/1.1")},
      {400, line("GET / HTTP/01.1")},
      {400, line("GET / HTTP/1,1")},
      {400, line("GET / ICE/1.0")},
      {400, line(" GET / HTTP/1.1")},
      {400, line("G@T / HTTP/1.1")},
      {400, line("G\x80T / HTTP/1.1")},
      {400, line("GET a HTTP/1.1")},
      {400, line("GET ?x HTTP/1.1")},
      {400, line("GET * HTTP/1.1")},
      {400, line("OPTIONS *x HTTP/1.1")},
      {400, line("GET ftp://a/ HTTP/1.1")},
      {400, line("GET http:/a HTTP/1.1")},
      {400, line("GET http:///x HTTP/1.1")},
      {400, line("GET http://user@a/ HTTP/1.1")},
      {400, line("GET a:80 HTTP/1.1")},
      {400, line("GET /a#b HTTP/1.1")},
      {400, line("GET /\x7f HTTP/1.1")},
      {400, line("GET /\xc3\xbc HTTP/1.1")},
      {400, line("GET /a\x01 HTTP/1.1")},
      {505, line("GET / HTTP/0.9")},
      {505, line("GET / HTTP/1.2")},
      {505, line("GET / HTTP/2.0")},
      {505, line("PRI * HTTP/2.0")},
      {501, line("BREW / HTTP/1.1")},
      {501, line("get / HTTP/1.1")},
      {501, line("CONNECT a:80 HTTP/1.1")},
      {501, line("PRI * HTTP/1.1")},
      {501, line("DESCRIBE / HTTP/1.1")},
      {501, line("GETGET / HTTP/1.1")},
      {400, std::string(100, 'G') + std::string(9000, 'G')},
      {400, "\x16\x03\x01\x02"},  // a TLS hello
  };
  for (const auto& [status, bytes] : cases) {
    const Parsed parsed = parse_all(bytes);
    EXPECT_EQ(parsed.status, status) << bytes << parsed.detail;
    EXPECT_TRUE(parsed.requests.empty()) << bytes;
  }
}

TEST(HttpParser, WantsExactlyOneHost) {
  EXPECT_EQ(parse_all("GET / HTTP/1.1\r\n\r\n").status, 400);
  EXPECT_EQ(parse_all(get(kHost)).status, 400);
  EXPECT_EQ(parse_all("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n").status, 400);
  EXPECT_EQ(parse_all("GET / HTTP/1.0\r\n\r\n").status, 0);
  EXPECT_EQ(parse_all("GET / HTTP/1.1\r\nHost:\r\n\r\n").status, 0);
  EXPECT_EQ(parse_all("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n").status, 0);
  for (const char* host : {"a b", "a/b", "u@a", "a, b", "a?b", "a#b", "a\\b", "<a>"}) {
    EXPECT_EQ(parse_all("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n").status, 400)
        << host;
  }
}

TEST(HttpParser, TargetAtItsLimit) {
  const HttpLimits limits;
  const auto of_size = [](std::size_t size) {
    return "GET /" + std::string(size - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  EXPECT_EQ(parse_all(of_size(limits.target_bytes_max - 1)).status, 0);
  EXPECT_EQ(parse_all(of_size(limits.target_bytes_max)).status, 0);
  EXPECT_EQ(parse_all(of_size(limits.target_bytes_max + 1)).status, 414);
  EXPECT_EQ(parse_all(of_size(20'000)).status, 414);
  // Without waiting for the line to end.
  EXPECT_EQ(parse_all("GET /" + std::string(limits.target_bytes_max + 100, 'a')).status, 414);
}

TEST(HttpParser, HeadAtItsLimit) {
  const HttpLimits limits;
  const auto of_size = [](std::size_t size) {
    const std::string empty = get("X: \r\n");
    return get("X: " + std::string(size - empty.size(), 'y') + "\r\n");
  };
  EXPECT_EQ(parse_all(of_size(limits.head_bytes_max - 1)).status, 0);
  EXPECT_EQ(parse_all(of_size(limits.head_bytes_max)).status, 0);
  EXPECT_EQ(parse_all(of_size(limits.head_bytes_max + 1)).status, 431);
  const std::string endless = "GET / HTTP/1.1\r\nX: " + std::string(limits.head_bytes_max, 'y');
  EXPECT_EQ(parse_all(endless, every_byte(endless)).status, 431);
}

TEST(HttpParser, HeaderCountAtItsLimit) {
  const HttpLimits limits;
  const auto of_count = [](std::size_t count) {
    std::string headers;
    for (std::size_t i = 1; i < count; ++i) headers += "X: y\r\n";
    return get(headers);
  };
  EXPECT_EQ(only(of_count(limits.headers_max - 1)).headers.size(), limits.headers_max - 1);
  EXPECT_EQ(only(of_count(limits.headers_max)).headers.size(), limits.headers_max);
  EXPECT_EQ(parse_all(of_count(limits.headers_max + 1)).status, 431);
}

TEST(HttpParser, BodyAtItsLimit) {
  HttpLimits limits;
  limits.body_bytes_max = 100;
  const auto of_size = [](std::size_t size, std::size_t sent) {
    return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
           std::string(sent, 'b');
  };
  EXPECT_EQ(parse_all(of_size(99, 99), {}, limits).status, 0);
  EXPECT_EQ(parse_all(of_size(100, 100), {}, limits).status, 0);
  // Before a byte of it has come.
  EXPECT_EQ(parse_all(of_size(101, 0), {}, limits).status, 413);
}

TEST(HttpParser, UpgradesAreOrdinaryRequests) {
  const Parsed parsed = parse_all(
      get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n") +
      get(""));
  EXPECT_EQ(parsed.requests.size(), 2u) << parsed.detail;
}

TEST(HttpParser, KnowsTheUsualMethods) {
  for (const std::string method : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE",
                                   "PATCH", "PROPFIND", "REPORT"}) {
    EXPECT_EQ(only(method + " / HTTP/1.1\r\nHost: a\r\n\r\n").method, method);
  }
}

}  // namespace
}  // namespace nur
