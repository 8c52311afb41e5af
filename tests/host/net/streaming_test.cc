// Bodies read while they come, and answers in pieces.
#include <algorithm>
#include <array>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include "tests/host/net/test_front.h"

namespace nur {
namespace {

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\n";

struct Told final : ExchangeWatcher {
  void on_exchange() override { ++times; }
  int times = 0;
};

std::string post(std::size_t length, std::string_view headers = "", std::string_view path = "/") {
  return fmt::format("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n{}\r\n", path, length,
                     headers);
}

// All that has come of the body; whether it has ended.
std::pair<std::string, bool> take_body(Exchange& exchange) {
  std::string body;
  char buffer[1000];
  while (true) {
    const std::optional<std::size_t> count = exchange.read_body(buffer);
    if (!count) return {body, false};
    if (*count == 0) return {body, true};
    body.append(buffer, *count);
  }
}

class Streaming : public ::testing::Test {
 protected:
  explicit Streaming(ServerOptions options = {}) : front_(std::move(options)) {
    front_.hold = true;
    front_.early = true;
  }
  // The exchange of a request that the client has begun.
  Exchange& begin(TestClient& client, std::string_view bytes) {
    const std::size_t before = front_.held.size();
    client.send(bytes);
    EXPECT_TRUE(front_.until([&] { return front_.held.size() > before; }));
    Exchange& exchange = *front_.held.back();
    exchange.watch(&told_);
    return exchange;
  }
  bool until_told() {
    const int before = told_.times;
    return front_.until([&] { return told_.times > before; });
  }

  TestFront front_;
  Told told_;
};

TEST_F(Streaming, HandsABodyOnAsItComes) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, post(9) + "abc");
  EXPECT_FALSE(exchange.body_has_ended());
  EXPECT_EQ(take_body(exchange), std::pair(std::string("abc"), false));

  client.send("def");
  ASSERT_TRUE(until_told());
  EXPECT_EQ(take_body(exchange), std::pair(std::string("def"), false));
  client.send("ghi" + get("/next"));
  ASSERT_TRUE(until_told());
  EXPECT_EQ(take_body(exchange), std::pair(std::string("ghi"), true));
  EXPECT_EQ(front_.held.size(), 1u) << "what is behind it is for later";

  Response response;
  response.body = "done";
  exchange.respond(std::move(response));
  ASSERT_TRUE(client.awaits("done"));
  ASSERT_TRUE(front_.until([&] { return front_.held.size() == 2; }));
  EXPECT_EQ(front_.held[1]->request().path, "/next");
}

TEST_F(Streaming, TakesChunkedCodingOffAsItComes) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(
      client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4");
  EXPECT_EQ(take_body(exchange), std::pair(std::string("abc"), false));
  client.send("\r\ndefg\r\n0\r\n");
  ASSERT_TRUE(until_told());
  EXPECT_EQ(take_body(exchange), std::pair(std::string("defg"), false));
  client.send("\r\n");
  ASSERT_TRUE(until_told());
  EXPECT_EQ(take_body(exchange), std::pair(std::string(), true));
}

TEST_F(Streaming, HoldsBackABodyThatNobodyTakes) {
  TestClient client = front_.connect();
  const std::size_t length = 1000 << 10;
  Exchange& exchange = begin(client, post(length) + "x");
  ::shutdown(client.socket(), SHUT_RD);
  std::size_t sent = 1;
  // A client that sends without end fills buffers of the kernel, and a bounded one of ours.
  const std::string piece(16 << 10, 'x');
  for (int i = 0; i < 200 && sent < length; ++i) {
    const ssize_t count =
        ::send(client.socket(), piece.data(), std::min(piece.size(), length - sent),
               MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) sent += static_cast<std::size_t>(count);
    front_.settle();
  }
  EXPECT_LE(exchange.request().body.size(), std::size_t{128} << 10);

  std::size_t taken = 0;
  for (int i = 0; i < 2000 && taken < length; ++i) {
    taken += take_body(exchange).first.size();
    if (sent < length) {
      const ssize_t count =
          ::send(client.socket(), piece.data(), std::min(piece.size(), length - sent),
                 MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count > 0) sent += static_cast<std::size_t>(count);
    }
    front_.settle();
  }
  EXPECT_EQ(taken, length);
  EXPECT_TRUE(exchange.body_has_ended());
}

TEST_F(Streaming, LimitsBodiesThatAreTakenAsTheyCome) {
  ServerOptions options;
  options.limits.body_bytes_max = 10;
  TestFront front(options);
  front.hold = front.early = true;
  TestClient client = front.connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n");
  ASSERT_TRUE(front.until([&] { return front.held.size() == 1; }));
  Exchange& exchange = *front.held[0];
  EXPECT_EQ(take_body(exchange).first, "abcdef");
  client.send("5\r\nghijk\r\n0\r\n\r\n");
  ASSERT_TRUE(client.awaits("HTTP/1.1 413 "));
  EXPECT_TRUE(exchange.client_gone());
  exchange.respond(host_response(503, "nobody sees this"));
  ASSERT_TRUE(client.awaits_close());
  EXPECT_EQ(client.received().find("nobody"), std::string::npos);
}

TEST_F(Streaming, SaysContinueWhenTheBodyIsWanted) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, post(3, "Expect: 100-continue\r\n"));
  front_.settle();
  client.receive();
  EXPECT_EQ(client.received(), "") << "nobody has asked for it";

  EXPECT_EQ(take_body(exchange), std::pair(std::string(), false));
  ASSERT_TRUE(client.awaits("HTTP/1.1 100 Continue\r\n\r\n"));
  client.send("abc" + get("/next"));
  ASSERT_TRUE(until_told());
  EXPECT_EQ(take_body(exchange), std::pair(std::string("abc"), true));
  exchange.respond(host_response(200, "first"));
  ASSERT_TRUE(client.awaits("first"));
  ASSERT_TRUE(front_.until([&] { return front_.held.size() == 2; }));
  front_.held[1]->respond(host_response(200, "second"));
  ASSERT_TRUE(client.awaits("second"));
  EXPECT_EQ(count_of(client.received(), "100 Continue"), 1u);
}

// The client may send the body or not: neither is the next request.
TEST_F(Streaming, ClosesBehindAnAnswerThatComesBeforeTheBody) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, post(1000, "Expect: 100-continue\r\n"));
  exchange.respond(host_response(403, "no"));
  ASSERT_TRUE(client.awaits("Connection: close\r\n"));
  client.send(get("/smuggled"));
  client.finish_sending();
  ASSERT_TRUE(client.awaits_close());
  EXPECT_EQ(front_.held.size(), 1u);
  EXPECT_EQ(client.received().find("100 Continue"), std::string::npos);
}

TEST_F(Streaming, RefusesABodyThatEndsTooSoon) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, post(10) + "abc");
  client.finish_sending();
  ASSERT_TRUE(client.awaits("HTTP/1.1 400 "));
  EXPECT_TRUE(exchange.client_gone());
  exchange.abort();
  EXPECT_TRUE(client.awaits_close());
}

TEST_F(Streaming, CutsOffAnAnswerWhoseRequestTurnsOutBad) {
  TestClient client = front_.connect();
  Exchange& exchange =
      begin(client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  ASSERT_TRUE(exchange.begin(Response{}, std::nullopt));
  exchange.write("answer");
  ASSERT_TRUE(client.awaits("answer"));
  client.send("no chunk\r\n");
  ASSERT_TRUE(client.awaits_close());
  EXPECT_TRUE(exchange.client_gone());
  exchange.write("more");
  EXPECT_TRUE(exchange.end());
  EXPECT_EQ(client.received().find("0\r\n\r\n"), std::string::npos);
}

TEST_F(Streaming, ResetsWhereOnlyTheEndOfTheConnectionEndsTheBody) {
  TestClient old = front_.connect();
  Exchange& first = begin(old, "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n");
  ASSERT_TRUE(first.begin(Response{}, std::nullopt));
  first.write("half");
  ASSERT_TRUE(old.awaits("half"));
  first.abort();
  EXPECT_TRUE(old.awaits_close());
  EXPECT_TRUE(old.was_reset());

  TestClient verbatim = front_.connect();
  front_.held.clear();
  Exchange& second = begin(verbatim, post(3));
  ASSERT_TRUE(second.write_verbatim("HTTP/1.1 200 OK\r\n\r\nhalf"));
  ASSERT_TRUE(verbatim.awaits("half"));
  second.abort();
  EXPECT_TRUE(verbatim.awaits_close());
  EXPECT_TRUE(verbatim.was_reset());
}

TEST_F(Streaming, ReadsALongBodyInSmallPieces) {
  constexpr std::size_t kBytes = 900 << 10;
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, post(kBytes));
  std::string sent;
  for (std::size_t i = 0; i < kBytes; ++i) sent += static_cast<char>('a' + i % 26);
  std::string read;
  std::array<char, 1000> piece;
  std::size_t at = 0;
  while (read.size() < kBytes) {
    if (at < kBytes) {
      client.send(sent.substr(at, 60'000));
      at += 60'000;
    }
    front_.settle();
    for (int i = 0; i < 40; ++i) {
      const std::optional<std::size_t> got = exchange.read_body(piece);
      if (!got) break;
      read.append(piece.data(), *got);
    }
  }
  EXPECT_EQ(read, sent);
  exchange.abort();
}

TEST_F(Streaming, RefusesABodyThatStops) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, post(10) + "abc");
  front_.advance(HttpTimeouts{}.body_idle + Milliseconds(1));
  ASSERT_TRUE(client.awaits("HTTP/1.1 408 "));
  EXPECT_TRUE(exchange.client_gone());
  exchange.abort();
}

// Only what the client owes is timed.
TEST_F(Streaming, WaitsForAHandlerThatTakesNothing) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, post(200 << 10) + "x");
  client.send(std::string(100 << 10, 'x'));
  ASSERT_TRUE(
      front_.until([&] { return exchange.request().body.size() >= std::size_t{64} << 10; }));
  front_.advance(std::chrono::hours(1));
  EXPECT_FALSE(exchange.client_gone());
}

TEST_F(Streaming, SendsPiecesAtOnceInChunks) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, get("/"));
  Response head;
  head.headers = {{"X-Mine", "1"}, {"Content-Length", "77"}};
  ASSERT_TRUE(exchange.begin(std::move(head), std::nullopt));
  ASSERT_TRUE(client.awaits("\r\n\r\n"));
  EXPECT_NE(client.received().find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(client.received().find("77"), std::string::npos);
  exchange.write("hello");
  ASSERT_TRUE(client.awaits("5\r\nhello\r\n"));
  exchange.write("");
  exchange.write(std::string(20, 'y'));
  ASSERT_TRUE(client.awaits("14\r\nyyyyyyyyyyyyyyyyyyyy\r\n"));
  ASSERT_TRUE(exchange.end());
  ASSERT_TRUE(client.awaits("0\r\n\r\n"));

  Exchange& next = begin(client, get("/next"));
  EXPECT_EQ(next.request().path, "/next") << "the connection lives on";
}

TEST_F(Streaming, ClosesBehindPiecesForAnOldClient) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, "GET / HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(exchange.begin(Response{}, std::nullopt));
  exchange.write("hello");
  ASSERT_TRUE(exchange.end());
  ASSERT_TRUE(client.awaits_close());
  EXPECT_TRUE(client.received().ends_with("\r\n\r\nhello"));
  EXPECT_EQ(client.received().find("chunked"), std::string::npos);
}

TEST_F(Streaming, HoldsAnAnswerToTheLengthItPromised) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, get("/"));
  ASSERT_TRUE(exchange.begin(Response{}, 5));
  exchange.write("hel");
  exchange.write("loooo");
  ASSERT_TRUE(exchange.end());
  ASSERT_TRUE(client.awaits("hello"));
  Exchange& next = begin(client, get("/next"));
  EXPECT_TRUE(client.received().ends_with("Content-Length: 5\r\n\r\nhello"));

  ASSERT_TRUE(next.begin(Response{}, 5));
  next.write("hel");
  EXPECT_FALSE(next.end());
  next.respond(host_response(502, "too late to say this"));
  ASSERT_TRUE(client.awaits_close());
  EXPECT_TRUE(client.received().ends_with("hel"));
}

TEST_F(Streaming, SendsNoBodyToHead) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(exchange.begin(Response{}, std::nullopt));
  exchange.write("hello");
  ASSERT_TRUE(exchange.end());
  Exchange& next = begin(client, get("/next"));
  ASSERT_TRUE(client.awaits("\r\n\r\n"));
  EXPECT_TRUE(client.received().ends_with("\r\n\r\n"));
  EXPECT_EQ(client.received().find("hello"), std::string::npos);
  EXPECT_EQ(next.request().path, "/next");
}

TEST_F(Streaming, RefusesAHeadThatWouldBreakOut) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, get("/"));
  Response head;
  head.headers = {{"X", "1\r\nY: 2"}};
  const Result<void> begun = exchange.begin(std::move(head), std::nullopt);
  ASSERT_FALSE(begun);
  exchange.respond(host_response(502, begun.error().message));
  ASSERT_TRUE(client.awaits("HTTP/1.1 502 "));
}

TEST_F(Streaming, CutsOffWhatIsAborted) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, get("/"));
  ASSERT_TRUE(exchange.begin(Response{}, std::nullopt));
  exchange.write("hello");
  exchange.abort();
  ASSERT_TRUE(client.awaits_close());
  EXPECT_TRUE(client.received().ends_with("5\r\nhello\r\n")) << "what was written is sent";
}

TEST_F(Streaming, TellsWhenTheClientHasTakenEnough) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, get("/"));
  const std::size_t length = std::size_t{32} << 20;
  ASSERT_TRUE(exchange.begin(Response{}, length));
  const std::string piece(64 << 10, 'z');
  std::size_t written = 0;
  std::size_t most = 0;
  int pauses = 0;
  while (written < length) {
    while (written < length && exchange.unsent_bytes() <= Exchange::kUnsentBytesMax) {
      exchange.write(piece);
      written += piece.size();
      most = std::max(most, exchange.unsent_bytes());
    }
    if (written == length) break;
    ++pauses;
    const int before = told_.times;
    ASSERT_TRUE(front_.until([&] {
      client.receive();
      return told_.times > before;
    }));
  }
  EXPECT_LE(most, Exchange::kUnsentBytesMax + piece.size());
  EXPECT_GT(pauses, 3);
  ASSERT_TRUE(exchange.end());
  EXPECT_TRUE(client.awaits_bytes(length + 60));
}

// Whoever makes the answer shall not wait for its client.
TEST_F(Streaming, HoldsMoreOfAnAnswerWhenTold) {
  constexpr std::size_t kHeldMax = 4 << 20;
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, get("/"));
  ASSERT_TRUE(exchange.begin(Response{}, std::nullopt));
  const std::string piece(64 << 10, 'z');
  std::size_t written = 0;
  const auto fill = [&] {
    for (; exchange.has_room(); written += piece.size()) exchange.write(piece);
  };
  fill();
  EXPECT_LE(exchange.unsent_bytes(), Exchange::kUnsentBytesMax + 2 * piece.size());
  exchange.hold_up_to(kHeldMax);
  fill();
  EXPECT_GT(exchange.unsent_bytes(), kHeldMax);
  EXPECT_LE(exchange.unsent_bytes(), kHeldMax + 2 * piece.size());
  // There is room long before all is taken.
  const int before = told_.times;
  ASSERT_TRUE(front_.until([&] {
    client.receive();
    return told_.times > before;
  }));
  EXPECT_TRUE(exchange.has_room());
  EXPECT_GT(exchange.unsent_bytes(), kHeldMax / 2);
  EXPECT_GT(exchange.taken_bytes(), 0U);
  ASSERT_TRUE(exchange.end());
  EXPECT_TRUE(client.awaits_bytes(written));
  EXPECT_TRUE(client.awaits("\r\n0\r\n\r\n"));
}

// Of an answer that may be held as a whole, no more than half of what all may hold.
TEST_F(Streaming, HoldsNoMoreThanThereIsMemoryFor) {
  ServerOptions options;
  options.unsent_bytes_max = 4 << 20;
  TestFront front(options);
  front.hold = true;
  std::vector<TestClient> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(front.connect());
    clients.back().send(get("/"));
    ASSERT_TRUE(front.until([&] { return front.held.size() == clients.size(); }));
    Exchange& exchange = *front.held.back();
    ASSERT_TRUE(exchange.begin(Response{}, std::nullopt));
    exchange.hold_up_to(16 << 20);
    while (exchange.has_room()) exchange.write(std::string(64 << 10, 'z'));
  }
  EXPECT_EQ(front.server->counters().given_up, 0U) << "nobody loses what is usual";
  for (Exchange* const exchange : front.held) {
    EXPECT_FALSE(exchange->client_gone());
    exchange->abort();
  }
}

TEST_F(Streaming, TellsThatTheClientHasLeft) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, get("/"));
  ASSERT_TRUE(exchange.begin(Response{}, std::nullopt));
  exchange.write("hello");
  client.reset();
  ASSERT_TRUE(front_.until([&] { return exchange.client_gone(); }));
  EXPECT_GT(told_.times, 0);
  exchange.write("more");
  EXPECT_TRUE(exchange.write_verbatim("more"));
  EXPECT_EQ(exchange.read_body({}), 0u);
  EXPECT_TRUE(exchange.end());
  front_.settle();
  EXPECT_EQ(front_.server->counters().active, 0u);
}

TEST_F(Streaming, ClosesAClientThatDoesNotTakeItsAnswer) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, get("/"));
  ASSERT_TRUE(exchange.begin(Response{}, std::nullopt));
  while (exchange.unsent_bytes() <= Exchange::kUnsentBytesMax) {
    exchange.write(std::string(64 << 10, 'z'));
  }
  front_.advance(HttpTimeouts{}.send_idle + Milliseconds(1));
  front_.advance(HttpTimeouts{}.send_idle + Milliseconds(1));
  EXPECT_TRUE(exchange.client_gone());
  exchange.abort();
}

TEST_F(Streaming, CountsPiecesAmongWhatClientsHaveNotTaken) {
  ServerOptions options;
  options.unsent_bytes_max = 1 << 20;
  TestFront front(options);
  front.hold = true;
  std::vector<TestClient> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(front.connect());
    clients.back().send(get("/"));
    ASSERT_TRUE(front.until([&] { return front.held.size() == clients.size(); }));
    Exchange& exchange = *front.held.back();
    ASSERT_TRUE(exchange.begin(Response{}, std::nullopt));
    while (!exchange.client_gone() && exchange.unsent_bytes() <= Exchange::kUnsentBytesMax) {
      exchange.write(std::string(64 << 10, 'z'));
    }
  }
  EXPECT_GT(front.server->counters().given_up, 0u);
  EXPECT_TRUE(front.held.front()->client_gone()) << "the one that took nothing for longest";
  EXPECT_FALSE(front.held.back()->client_gone());
  for (Exchange* const exchange : front.held) exchange->abort();
}

TEST_F(Streaming, DrainWaitsForTheEndOfAnAnswer) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, post(6) + "abc");
  ASSERT_TRUE(exchange.begin(Response{}, std::nullopt));
  bool drained = false;
  front_.server->drain([&] { drained = true; });
  front_.settle();
  EXPECT_FALSE(drained);
  client.send("def");
  ASSERT_TRUE(until_told());
  EXPECT_EQ(take_body(exchange), std::pair(std::string("abcdef"), true));
  exchange.write("bye");
  ASSERT_TRUE(exchange.end());
  ASSERT_TRUE(client.awaits_close());
  EXPECT_TRUE(client.received().ends_with("3\r\nbye\r\n0\r\n\r\n"));
  EXPECT_TRUE(front_.until([&] { return drained; }));
}

TEST_F(Streaming, AnswersInPiecesInsideTheHandler) {
  front_.hold = false;
  front_.answer = [](Exchange& exchange) {
    ASSERT_TRUE(exchange.begin(Response{}, std::nullopt));
    exchange.write(exchange.request().path);
    ASSERT_TRUE(exchange.end());
  };
  TestClient client = front_.connect();
  client.send(get("/one") + get("/two") + get("/three"));
  ASSERT_TRUE(client.awaits("6\r\n/three\r\n0\r\n\r\n"));
  EXPECT_EQ(count_of(client.received(), kOk), 3u);
}

TEST_F(Streaming, AnswersEarlyInsideTheHandler) {
  front_.hold = false;
  front_.answer = [](Exchange& exchange) { exchange.respond(host_response(403, "no")); };
  TestClient client = front_.connect();
  client.send(post(100) + "abc");
  client.finish_sending();
  ASSERT_TRUE(client.awaits("HTTP/1.1 403 "));
  EXPECT_TRUE(client.awaits_close());
}

TEST_F(Streaming, PassesVerbatimBytesOnWhenTheirHeadIsComplete) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, get("/"));
  ASSERT_TRUE(exchange.write_verbatim("HTTP/1.1 200 OK\r\nContent-Le"));
  front_.settle();
  client.receive();
  EXPECT_EQ(client.received(), "");
  ASSERT_TRUE(exchange.write_verbatim("ngth: 6\r\n\r\nabc"));
  ASSERT_TRUE(client.awaits("\r\n\r\nabc"));
  EXPECT_NE(client.received().find("Date: "), std::string::npos);
  ASSERT_TRUE(exchange.write_verbatim("def"));
  ASSERT_TRUE(exchange.end());
  Exchange& next = begin(client, get("/next"));
  EXPECT_TRUE(client.awaits("\r\n\r\nabcdef"));
  EXPECT_EQ(next.request().path, "/next");
}

TEST_F(Streaming, AnswersSomethingElseWhenVerbatimBytesAreNoResponse) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, get("/"));
  const Result<void> written = exchange.write_verbatim("hello\r\n\r\n");
  ASSERT_FALSE(written);
  exchange.respond(host_response(502, written.error().message));
  ASSERT_TRUE(client.awaits("HTTP/1.1 502 "));
}

TEST_F(Streaming, CutsOffVerbatimBytesThatEndTooSoon) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, get("/"));
  ASSERT_TRUE(exchange.write_verbatim("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc"));
  const Result<void> ended = exchange.end();
  ASSERT_FALSE(ended);
  exchange.respond(host_response(502, ended.error().message));
  ASSERT_TRUE(client.awaits_close());
  EXPECT_TRUE(client.received().ends_with("abc"));
}

TEST_F(Streaming, NeverLetsVerbatimBytesBecomeTheNextAnswer) {
  TestClient client = front_.connect();
  Exchange& exchange = begin(client, get("/"));
  ASSERT_TRUE(exchange.write_verbatim("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"));
  ASSERT_TRUE(exchange.write_verbatim("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  ASSERT_TRUE(exchange.end());
  ASSERT_TRUE(client.awaits_close());
  EXPECT_TRUE(client.received().ends_with("abc"));
}

}  // namespace
}  // namespace nur
