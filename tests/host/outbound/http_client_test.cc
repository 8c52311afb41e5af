#include "host/outbound/http_client.h"

#include <gtest/gtest.h>

#include "tests/host/outbound/dns_server.h"
#include "tests/host/outbound/raw_server.h"

namespace nur {
namespace {

using test::DnsServer;
using test::RawServer;

class HttpClientTest : public ::testing::Test {
 protected:
  HttpClientTest() {
    ResolverOptions options;
    options.servers = dns_.address();
    options.hosts_file = "/nowhere";
    resolver_ = *Resolver::open(*loop_, options);
    client_ = *HttpClient::open(*loop_, *resolver_, {});
    pool_ = *client_->pool("f");
  }

  std::unique_ptr<HttpFetch> start(FetchRequest request) {
    return client_->start(*pool_, policy_, request, [this] { ++changes_; });
  }
  std::unique_ptr<HttpFetch> get(const std::string& url,
                                 Milliseconds timeout = Milliseconds(5000)) {
    std::unique_ptr<HttpFetch> fetch =
        start({.method = "GET", .url = url, .headers = {}, .body = {}, .timeout = timeout});
    wait_for_head(*fetch);
    return fetch;
  }
  void wait_for_head(const HttpFetch& fetch) {
    for (int turn = 0; turn < 2000 && !fetch.has_head() && !fetch.failure(); ++turn) {
      ASSERT_TRUE(loop_->run_once(Milliseconds(10)));
    }
  }
  // "-3", or the status.
  std::string outcome(const std::string& url) {
    const std::unique_ptr<HttpFetch> fetch = get(url);
    if (fetch->failure()) return std::to_string(static_cast<int>(*fetch->failure()));
    return fetch->has_head() ? std::to_string(fetch->status()) : "nothing";
  }
  std::string outcome(const FetchRequest& request) {
    const std::unique_ptr<HttpFetch> fetch = start(request);
    wait_for_head(*fetch);
    if (fetch->failure()) return std::to_string(static_cast<int>(*fetch->failure()));
    return fetch->has_head() ? std::to_string(fetch->status()) : "nothing";
  }
  // The whole body, with " -1" behind it when it broke off.
  std::string body_of(HttpFetch& fetch) {
    std::string body;
    char piece[5000];
    for (int turn = 0; turn < 20'000; ++turn) {
      const std::optional<std::int64_t> got = fetch.read(piece);
      if (!got) {
        if (!loop_->run_once(Milliseconds(10))) break;
        continue;
      }
      if (*got == 0) return body;
      if (*got < 0) return body + " -1";
      body.append(piece, static_cast<std::size_t>(*got));
    }
    return "never";
  }
  void turn(int times, Milliseconds each = Milliseconds(1)) {
    for (int i = 0; i < times; ++i) ASSERT_TRUE(loop_->run_once(each));
  }
  static OutboundPolicy policy_of(std::vector<std::string> rules) {
    return *OutboundPolicy::parse(rules);
  }

  SystemClock clock_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::open(clock_);
  DnsServer dns_{*loop_};
  OutboundPolicy policy_ = policy_of({"loopback", "*:*"});
  std::unique_ptr<Resolver> resolver_;
  std::unique_ptr<HttpClient> client_;
  HttpClient::Pool* pool_ = nullptr;
  int changes_ = 0;
};

constexpr const char* kHello =
    "HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nX-A: 1\r\nx-a:  2 \r\n\r\nhello";

TEST_F(HttpClientTest, HasStatusHeadersAndBody) {
  RawServer server(*loop_, [](auto& connection, auto&) { connection.send(kHello); });
  const std::unique_ptr<HttpFetch> fetch = get(server.url("/path?x=1"));
  ASSERT_TRUE(fetch->has_head());
  EXPECT_EQ(fetch->status(), 200);
  ASSERT_EQ(fetch->headers().size(), 3U);
  EXPECT_EQ(fetch->headers()[1].name, "X-A");
  EXPECT_EQ(fetch->headers()[2].name, "x-a");
  EXPECT_EQ(fetch->headers()[2].value, "2");
  EXPECT_EQ(body_of(*fetch), "hello");
  EXPECT_GE(changes_, 1);
  ASSERT_EQ(server.requests.size(), 1U);
  EXPECT_EQ(server.requests[0], fmt::format("GET /path?x=1 HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n"
                                            "Accept: */*\r\n\r\n",
                                            server.port()));
}

TEST_F(HttpClientTest, AsksForWhatTheUrlSays) {
  RawServer server(*loop_, [](auto& connection, auto&) { connection.send(kHello); });
  const std::pair<const char*, const char*> targets[] = {
      {"", "/"},           {"/a", "/a"},
      {"/a?", "/a?"},      {"?", "/?"},
      {"/a?#part", "/a?"}, {"/a#part", "/a"},
      {"/a??", "/a??"},    {"/a%20b?c=%3f&d", "/a%20b?c=%3f&d"},
      {"/%3f", "/%3f"}};
  for (const auto& [written, target] : targets) {
    EXPECT_EQ(outcome({.method = "GET",
                       .url = fmt::format("http://127.0.0.1:{}{}", server.port(), written),
                       .headers = {},
                       .body = {},
                       .timeout = {}}),
              "200");
    const std::string& request = server.requests.back();
    EXPECT_TRUE(request.starts_with(fmt::format("GET {} HTTP/1.1\r\n", target))) << request;
  }
}

TEST_F(HttpClientTest, SendsMethodHeadersAndBody) {
  RawServer server(*loop_, [](auto& connection, auto&) { connection.send(kHello); });
  EXPECT_EQ(outcome({.method = "PUT",
                     .url = server.url(),
                     .headers = "X-One: 1\r\nX-Empty:\nContent-Type: text/x\r\n",
                     .body = std::string_view("a\0b", 3),
                     .timeout = {}}),
            "200");
  const std::string& request = server.requests.at(0);
  EXPECT_TRUE(request.starts_with("PUT / HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find("X-One: 1\r\n"), std::string::npos);
  EXPECT_NE(request.find("X-Empty:\r\n"), std::string::npos);
  EXPECT_NE(request.find("Content-Type: text/x\r\n"), std::string::npos);
  EXPECT_NE(request.find("Content-Length: 3\r\n"), std::string::npos);
  EXPECT_EQ(request.find("Expect"), std::string::npos);
  EXPECT_TRUE(request.ends_with(std::string("\r\n\r\na\0b", 7)));
}

TEST_F(HttpClientTest, RefusesRequestsThatMakeNoSense) {
  const auto of = [this](std::string_view method, std::string_view url, std::string_view headers) {
    return outcome({.method = method, .url = url, .headers = headers, .body = {}, .timeout = {}});
  };
  for (const char* const url : {"",
                                "127.0.0.1",
                                "ftp://127.0.0.1/",
                                "file:///etc/passwd",
                                "gopher://127.0.0.1/",
                                "http://",

                                "http://user@127.0.0.1/",
                                "http://user:password@127.0.0.1/",
                                "http://127.0.0.1:0/",
                                "http://127.0.0.1:99999/",
                                "http://a b/",
                                "http://127.0.0.1/\n",
                                "http://[::1",
                                "http://[fe80::1%25eth0]/",
                                "http://h\xc3\xb6st/",
                                "dict://127.0.0.1/",
                                "http://a..b/",
                                "javascript:alert(1)",
                                "HTTP",
                                "//127.0.0.1/"}) {
    EXPECT_EQ(of("GET", url, ""), "-4") << url;
  }
  EXPECT_EQ(of("GET", std::string_view("http://127.0.0.1/\0", 18), ""), "-4");
  for (const char* const method : {"", "G T", "GET\r\n", "CONNECT", "connect", "G\x7f"}) {
    EXPECT_EQ(of(method, "http://127.0.0.1:1/", ""), "-4") << method;
  }
  for (const char* const headers :
       {"X", "X y: 1", ": 1", "X: a\rb", "X: a\x01", "Host: other.test", "host: x",
        "Content-Length: 5", "Transfer-Encoding: chunked", "Connection: close", "Expect: 100",
        "Proxy-Authorization: x", "A: 1\r\n B: 2"}) {
    EXPECT_EQ(of("GET", "http://127.0.0.1:1/", headers), "-4") << headers;
  }
}

TEST_F(HttpClientTest, LimitsWhatIsSent) {
  std::string headers;
  for (int i = 0; i < 101; ++i) headers += fmt::format("X-{}: 1\r\n", i);
  const std::string body(HttpClientLimits::kBodyBytesMax + 1, 'b');
  const std::string url = "http://127.0.0.1:1/" + std::string(HttpClientLimits::kUrlBytesMax, 'u');
  const std::string value = "X: " + std::string(HttpClientLimits::kHeaderBytesMax, 'v');
  const char* const good = "http://127.0.0.1:1/";
  EXPECT_EQ(outcome({.method = "GET", .url = good, .headers = headers, .body = {}, .timeout = {}}),
            "-2");
  EXPECT_EQ(outcome({.method = "GET", .url = good, .headers = value, .body = {}, .timeout = {}}),
            "-2");
  EXPECT_EQ(outcome({.method = "GET", .url = url, .headers = {}, .body = {}, .timeout = {}}), "-2");
  EXPECT_EQ(outcome({.method = "GET", .url = good, .headers = {}, .body = body, .timeout = {}}),
            "-2");
}

TEST_F(HttpClientTest, ConnectsOnlyWhereThePolicyAllows) {
  RawServer server(*loop_, [](auto& connection, auto&) { connection.send(kHello); });
  policy_ = policy_of({"*:*"});
  dns_.set("inside.test", {{DnsServer::Reply::Kind::addresses, {"127.0.0.1"}}});
  EXPECT_EQ(outcome(server.url()), "-3");
  for (const char* const host :
       {"localhost", "inside.test", "127.0.0.1", "127.1", "2130706433", "0x7f000001",
        "017700000001", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "0",
        "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "LOCALHOST.", "127.0.0.1.",
        "%31%32%37.0.0.1"}) {
    const std::string result = outcome(fmt::format("http://{}:{}/", host, server.port()));
    EXPECT_TRUE(result == "-3" || result == "-4") << host << ": " << result;
  }
  EXPECT_EQ(server.connections.size(), 0U);
  policy_ = policy_of({fmt::format("loopback:{}", server.port())});
  EXPECT_EQ(outcome(server.url()), "200");
  EXPECT_EQ(outcome(fmt::format("http://127.0.0.1:{}/", server.port() - 1)), "-3");
}

TEST_F(HttpClientTest, DoesNotFollowRedirects) {
  RawServer inside(*loop_, [](auto& connection, auto&) { connection.send(kHello); });
  RawServer server(*loop_, [&](auto& connection, auto&) {
    connection.send(fmt::format("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
                                inside.url()));
  });
  policy_ = policy_of({fmt::format("loopback:{}", server.port())});
  const std::unique_ptr<HttpFetch> fetch = get(server.url());
  EXPECT_EQ(fetch->status(), 302);
  EXPECT_EQ(body_of(*fetch), "");
  EXPECT_EQ(inside.connections.size(), 0U);
}

// The name is checked and connected to in one go; what it means next time is checked next time.
TEST_F(HttpClientTest, ARebindingNameLeadsNowhereElse) {
  RawServer server(*loop_, [](auto& connection, auto&) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    connection.close();
  });
  policy_ = policy_of(
      {fmt::format("rebind.test:{}", server.port()), "127.0.0.1:" + std::to_string(server.port())});
  dns_.set("rebind.test", {{DnsServer::Reply::Kind::addresses, {"127.0.0.1"}},
                           {DnsServer::Reply::Kind::addresses, {"127.0.0.2"}},
                           {DnsServer::Reply::Kind::addresses, {"169.254.169.254", "10.0.0.1"}}});
  const std::string url = fmt::format("http://rebind.test:{}/", server.port());
  EXPECT_EQ(outcome(url), "200");
  EXPECT_EQ(outcome(url), "-3");
  EXPECT_EQ(outcome(url), "-3");
  EXPECT_EQ(server.connections.size(), 1U);
  EXPECT_EQ(dns_.asked("rebind.test"), 3);
}

TEST_F(HttpClientTest, UsesConnectionsAgainButNoneOfAnotherPool) {
  RawServer server(*loop_, [](auto& connection, auto&) { connection.send(kHello); });
  for (int i = 0; i < 5; ++i) {
    const std::unique_ptr<HttpFetch> fetch = get(server.url());
    EXPECT_EQ(body_of(*fetch), "hello");
  }
  EXPECT_EQ(server.connections.size(), 1U);
  pool_ = *client_->pool("other");
  const std::unique_ptr<HttpFetch> fetch = get(server.url());
  EXPECT_EQ(body_of(*fetch), "hello");
  EXPECT_EQ(server.connections.size(), 2U);
}

TEST_F(HttpClientTest, SaysWhenNobodyListensOrTheAnswerIsNone) {
  std::string closed;
  {
    RawServer server(*loop_, [](auto&, auto&) {});
    closed = server.url();
  }
  EXPECT_EQ(outcome(closed), "-1");
  RawServer resets(*loop_, [](auto& connection, auto&) { connection.reset(); });
  EXPECT_EQ(outcome(resets.url()), "-1");
  RawServer nonsense(*loop_, [](auto& connection, auto&) {
    connection.send("nonsense\r\n\r\n");
    connection.close();
  });
  EXPECT_EQ(outcome(nonsense.url()), "-1");
  dns_.set("nobody.test", {{DnsServer::Reply::Kind::no_such_name, {}}});
  EXPECT_EQ(outcome("http://nobody.test/"), "-1");
}

TEST_F(HttpClientTest, GivesUpOnServersThatHang) {
  RawServer silent(*loop_, [](auto&, auto&) {});
  EXPECT_EQ(*get(silent.url(), Milliseconds(50))->failure(), FetchFailure::timed_out);
  RawServer drips(*loop_,
                  [](auto& connection, auto&) { connection.send("HTTP/1.1 200 OK\r\nX: "); });
  EXPECT_EQ(*get(drips.url(), Milliseconds(50))->failure(), FetchFailure::timed_out);
  RawServer stops(*loop_, [](auto& connection, auto&) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  });
  const std::unique_ptr<HttpFetch> fetch = get(stops.url(), Milliseconds(50));
  EXPECT_EQ(fetch->status(), 200);
  EXPECT_EQ(body_of(*fetch), "half -1");
}

TEST_F(HttpClientTest, SaysWhenABodyBreaksOff) {
  RawServer server(*loop_, [](auto& connection, auto&) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    connection.close();
  });
  EXPECT_EQ(body_of(*get(server.url())), "half -1");
  // Nobody has looked before all was over: there is a response all the same.
  const std::unique_ptr<HttpFetch> late =
      start({.method = "GET", .url = server.url(), .headers = {}, .body = {}, .timeout = {}});
  for (int i = 0; i < 2000 && !late->failure(); ++i) turn(1, Milliseconds(10));
  EXPECT_TRUE(late->has_head());
  EXPECT_EQ(body_of(*late), "half -1");
}

TEST_F(HttpClientTest, LimitsTheHeadOfAResponse) {
  RawServer large(*loop_, [](auto& connection, auto&) {
    connection.send("HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n");
  });
  EXPECT_EQ(outcome(large.url()), "-2");
  RawServer many(*loop_, [](auto& connection, auto&) {
    std::string head = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 200; ++i) head += fmt::format("X-{}: y\r\n", i);
    connection.send(head + "\r\n");
  });
  EXPECT_EQ(outcome(many.url()), "-2");
  RawServer endless(*loop_, [](auto& connection, auto&) {
    connection.send("HTTP/1.1 200 OK\r\n");
    connection.send_for_ever("X: y\r\n");
  });
  EXPECT_EQ(outcome(endless.url()), "-2");
}

TEST_F(HttpClientTest, InterimResponsesAreNotTheResponse) {
  RawServer server(*loop_, [](auto& connection, auto&) {
    connection.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    connection.send(kHello);
  });
  const std::unique_ptr<HttpFetch> fetch = get(server.url());
  EXPECT_EQ(fetch->status(), 200);
  EXPECT_EQ(fetch->headers().size(), 3U);
}

TEST_F(HttpClientTest, ReadsAnEndlessBodyOnlyAsFastAsItIsAskedFor) {
  RawServer server(*loop_, [](auto& connection, auto&) {
    connection.send("HTTP/1.1 200 OK\r\n\r\n");
    connection.send_for_ever(std::string(100'000, 'e'));
  });
  const std::unique_ptr<HttpFetch> fetch = get(server.url());
  turn(500);
  const std::size_t before = server.connections[0]->sent();
  turn(500);
  // Nothing more goes out once socket buffers and ours are full.
  EXPECT_EQ(server.connections[0]->sent(), before);
  std::string room(1 << 20, ' ');
  std::int64_t taken = 0;
  for (int i = 0; i < 20'000 && taken < (20 << 20); ++i) {
    const std::optional<std::int64_t> got = fetch->read(room);
    if (got) {
      ASSERT_GT(*got, 0);
      EXPECT_LE(*got, static_cast<std::int64_t>(HttpClientLimits::kUnreadBytesMax) + 65536);
      taken += *got;
    } else {
      turn(1, Milliseconds(10));
    }
  }
  EXPECT_GE(taken, 20 << 20);
}

TEST_F(HttpClientTest, MayBeGivenUpAtAnyTime) {
  RawServer server(*loop_, [](auto& connection, auto&) {
    connection.send("HTTP/1.1 200 OK\r\n\r\n");
    connection.send_for_ever(std::string(100'000, 'e'));
  });
  for (int turns = 0; turns < 30; ++turns) {
    const std::unique_ptr<HttpFetch> fetch =
        start({.method = "GET", .url = server.url(), .headers = {}, .body = {}, .timeout = {}});
    turn(turns);
  }
  EXPECT_EQ(client_->fetches(), 0U);
  turn(50);
}

TEST_F(HttpClientTest, HasSoManyRequestsAtOnceAndNoMore) {
  RawServer silent(*loop_, [](auto&, auto&) {});
  const std::string url = silent.url();
  std::vector<std::unique_ptr<HttpFetch>> fetches;
  for (std::size_t i = 0; i < HttpClientLimits::kFetchesMax; ++i) {
    fetches.push_back(
        start({.method = "GET", .url = url, .headers = {}, .body = {}, .timeout = {}}));
    ASSERT_FALSE(fetches.back()->failure());
  }
  EXPECT_EQ(outcome(url), "-2");
  turn(200);
  EXPECT_LE(silent.connections.size(), HttpClientLimits::kConnectionsMax);
}

}  // namespace
}  // namespace nur
