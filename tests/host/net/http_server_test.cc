#include "host/net/http_server.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include "tests/host/net/test_front.h"

namespace nur {
namespace {

// Sets the limit of descriptors so that `spare` more can be opened, for its own lifetime.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(unsigned spare) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit limit = before_;
    // Descriptors are handed out from the lowest free one on; fill the gaps first.
    const Fd probe(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    limit.rlim_cur = static_cast<rlim_t>(probe.get()) + spare;
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;

 private:
  rlimit before_{};
};

Fd connected(const TestFront& front, Fd socket) {
  const SocketAddress& address = front.server->address();
  EXPECT_EQ(
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.bytes),
      0);
  return socket;
}

Fd stream_socket() { return Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

// An exchange from connect to close, before the descriptors run out: UndefinedBehaviorSanitizer
// opens a pipe to read the type of an object it has not met, and takes it for none at all if it
// cannot.
void exchange_once(TestFront& front) {
  TestClient client = front.connect();
  client.send(get("/", "Connection: close\r\n"));
  EXPECT_TRUE(client.awaits("GET / \n"));
  EXPECT_TRUE(client.awaits_close());
}

TEST(HttpServer, SaysWhichAddressItCannotUse) {
  ManualClock clock;
  const auto loop = *EventLoop::open(clock);
  TestFront handler;
  ServerOptions options;
  options.address = "somewhere";
  const auto opened = HttpServer::open(*loop, options, handler);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::invalid_input);
  EXPECT_NE(opened.error().message.find("somewhere"), std::string::npos);
}

TEST(HttpServer, AnswersEvenWithoutDescriptors) {
  TestFront front;
  exchange_once(front);
  Fd first_socket = stream_socket();
  Fd second_socket = stream_socket();
  std::optional<DescriptorLimit> limit(std::in_place, 0);
  TestClient first(front, connected(front, std::move(first_socket)));
  TestClient second(front, connected(front, std::move(second_socket)));
  EXPECT_TRUE(first.awaits("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_TRUE(second.awaits("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_TRUE(first.awaits_close());
  EXPECT_EQ(front.server->counters().turned_away, 2u);
  const std::string& text = first.received();
  const std::size_t body = text.find("\r\n\r\n") + 4;
  EXPECT_NE(text.find("Content-Length: " + std::to_string(text.size() - body) + "\r\n"),
            std::string::npos)
      << text;

  limit.reset();
  TestClient third = front.connect();
  third.send(get("/"));
  EXPECT_TRUE(third.awaits("GET / \n"));
}

TEST(HttpServer, WithoutDescriptorsAnIdleConnectionGivesUpItsOwn) {
  TestFront front;
  exchange_once(front);
  TestClient idle = front.connect();
  idle.send(get("/idle"));
  ASSERT_TRUE(idle.awaits("GET /idle"));
  Fd socket = stream_socket();
  const DescriptorLimit limit(0);
  front.settle();
  EXPECT_EQ(front.server->counters().active, 1u);  // it stays while nobody waits

  TestClient fresh(front, connected(front, std::move(socket)));
  fresh.send(get("/fresh"));
  EXPECT_TRUE(fresh.awaits("GET /fresh"));
  EXPECT_TRUE(idle.awaits_close());
  EXPECT_EQ(front.server->counters().turned_away, 0u);
}

TEST(HttpServer, ClosesAnIdleConnectionForANewOne) {
  ServerOptions options;
  options.connections_max = 2;
  TestFront front(options);
  TestClient idle = front.connect();
  idle.send(get("/idle"));
  ASSERT_TRUE(idle.awaits("GET /idle"));
  TestClient fresh = front.connect();
  TestClient third = front.connect();
  third.send(get("/third"));
  EXPECT_TRUE(third.awaits("GET /third"));
  EXPECT_TRUE(idle.awaits_close());
  fresh.send(get("/fresh"));
  EXPECT_TRUE(fresh.awaits("GET /fresh"));
}

TEST(HttpServer, ClosesTheOneThatWasIdleForLongest) {
  ServerOptions options;
  options.connections_max = 3;
  TestFront front(options);
  std::vector<TestClient> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(front.connect());
  for (const int i : {2, 0, 1, 2}) {
    const std::string path = fmt::format("/{}-{}", i, front.paths.size());
    clients[static_cast<std::size_t>(i)].send(get(path));
    ASSERT_TRUE(clients[static_cast<std::size_t>(i)].awaits("GET " + path));
  }
  // From here on 0 has waited for longest, then 1, then 2.
  for (std::size_t i = 0; i < 3; ++i) {
    clients.push_back(front.connect());
    EXPECT_TRUE(clients[i].awaits_close()) << i;
    EXPECT_EQ(front.server->counters().active, 3u);
  }
  EXPECT_EQ(front.server->counters().turned_away, 0u);
}

TEST(HttpServer, AnotherAddressHasItsOwnLimit) {
  ServerOptions options;
  options.connections_per_client = 1;
  TestFront front(options);
  const auto connect_from = [&](const char* address) {
    Fd socket = stream_socket();
    const SocketAddress from = *parse_address(address);
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&from.storage), from.bytes),
              0);
    return TestClient(front, connected(front, std::move(socket)));
  };
  TestClient first = connect_from("127.0.0.2:0");
  TestClient other = connect_from("127.0.0.3:0");
  TestClient second = connect_from("127.0.0.2:0");
  EXPECT_TRUE(second.awaits("HTTP/1.1 429 Too Many Requests\r\n"));
  for (TestClient* client : {&first, &other}) {
    client->send(get("/"));
    EXPECT_TRUE(client->awaits("GET / \n"));
  }
}

TEST(HttpServer, LeavesDescriptorsToOthers) {
  EXPECT_EQ(connections_allowed(128), 56u);
  EXPECT_EQ(connections_allowed(1024), 1024u - 102 - 64);
  EXPECT_EQ(connections_allowed(1 << 20), (1u << 20) - 104857 - 128);
  EXPECT_EQ(connections_allowed(1), 1u);
  EXPECT_EQ(connections_allowed(65), 1u);

  ServerOptions options;
  options.descriptors_max = 72;
  TestFront front(options);
  std::vector<TestClient> clients;
  for (std::size_t i = 0; i < connections_allowed(72); ++i) {
    clients.push_back(front.connect());
    clients[i].send("GET / HTTP/1.1\r\n");
  }
  ASSERT_EQ(clients.size(), 4u);
  EXPECT_TRUE(front.connect().awaits("HTTP/1.1 503 "));
  clients[3].send("Host: a\r\n\r\n");
  EXPECT_TRUE(clients[3].awaits("GET / \n"));
}

TEST(HttpServer, ManyAboveTheLimitAllGetAnAnswer) {
  ServerOptions options;
  options.connections_max = 1;
  TestFront front(options);
  TestClient only = front.connect();
  std::vector<TestClient> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(front.connect());
  for (TestClient& client : clients) EXPECT_TRUE(client.awaits("HTTP/1.1 503 "));
  EXPECT_LE(front.server->counters().active, 130u);
  EXPECT_EQ(front.server->counters().turned_away, 200u);
}

TEST(HttpServer, CountsWhatPasses) {
  TestFront front;
  TestClient client = front.connect();
  const std::string request = get("/");
  client.send(request);
  ASSERT_TRUE(client.awaits("GET / \n"));
  const ServerCounters counters = front.server->counters();
  EXPECT_EQ(counters.accepted, 1u);
  EXPECT_EQ(counters.requests, 1u);
  EXPECT_EQ(counters.bytes_received, request.size());
  EXPECT_EQ(counters.bytes_sent, client.received().size());
  EXPECT_EQ(counters.active, 1u);
}

TEST(HttpServer, KnowsTheAddressAWildcardWasReachedAt) {
  TestFront handler;
  ServerOptions options;
  options.address = "0.0.0.0:0";
  std::string server_host;
  handler.answer = [&](Exchange& exchange) {
    server_host = exchange.request().server;
    exchange.respond({});
  };
  handler.server.reset();
  handler.server = *HttpServer::open(*handler.loop, options, handler);
  TestClient client = handler.connect();
  client.send(get("/"));
  ASSERT_TRUE(client.awaits("HTTP/1.1 200"));
  EXPECT_EQ(server_host, "127.0.0.1");
}

}  // namespace
}  // namespace nur
