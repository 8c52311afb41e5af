#include "host/net/connection.h"

#include <algorithm>
#include <atomic>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/host/net/test_front.h"

namespace nur {
namespace {

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\n";

void respond_with(Exchange& exchange, std::string body) {
  Response response;
  response.body = std::move(body);
  exchange.respond(std::move(response));
}

TEST(Connection, AnswersAndStaysOpen) {
  TestFront front;
  TestClient client = front.connect();
  client.send(get("/one"));
  ASSERT_TRUE(client.awaits("GET /one \n"));
  EXPECT_TRUE(client.received().starts_with(kOk));
  EXPECT_EQ(client.received().find("Connection:"), std::string::npos);
  client.send("POST /two HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
  ASSERT_TRUE(client.awaits("POST /two body\n"));
  EXPECT_EQ(front.server->counters().requests, 2u);
  EXPECT_EQ(front.server->counters().active, 1u);
}

TEST(Connection, TellsTheHandlerWhoIsThere) {
  TestFront front;
  std::string client_host;
  std::uint16_t client_port = 0;
  std::uint16_t server_port = 0;
  front.answer = [&](Exchange& exchange) {
    client_host = exchange.request().client;
    client_port = exchange.request().client_port;
    server_port = exchange.request().server_port;
    respond_with(exchange, "ok");
  };
  TestClient client = front.connect();
  client.send(get("/"));
  ASSERT_TRUE(client.awaits(kOk));
  EXPECT_EQ(client_host, "127.0.0.1");
  EXPECT_NE(client_port, 0);
  EXPECT_EQ(server_port, front.server->address().port());
}

TEST(Connection, ARequestInSinglePiecesIsAnswered) {
  TestFront front;
  TestClient client = front.connect();
  for (const char byte :
       std::string("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "2\r\nab\r\n0\r\n\r\n")) {
    client.send({&byte, 1});
    EXPECT_TRUE(front.loop->run_once(Milliseconds(0)));
  }
  EXPECT_TRUE(client.awaits("POST /x ab\n"));
}

TEST(Connection, HeadGetsNoBody) {
  TestFront front;
  TestClient client = front.connect();
  client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n" + get("/y"));
  ASSERT_TRUE(client.awaits("GET /y \n"));
  EXPECT_NE(client.received().find("Content-Length: 9\r\n"), std::string::npos);
  EXPECT_EQ(client.received().find("HEAD /x"), std::string::npos);
}

TEST(Connection, AnswersAThousandPipelinedRequestsInOrder) {
  TestFront front;
  TestClient client = front.connect();
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += get("/" + std::to_string(i));
  client.send(bytes);
  ASSERT_TRUE(client.awaits("GET /999 \n"));
  std::size_t at = 0;
  for (int i = 0; i < 1000; ++i) {
    at = client.received().find("GET /" + std::to_string(i) + " \n", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  EXPECT_EQ(count_of(client.received(), kOk), 1000u);
}

TEST(Connection, PipelinedLargeAnswersAreNotGatheredWithoutEnd) {
  TestFront front;
  const std::string large(1 << 20, 'x');
  front.answer = [&](Exchange& exchange) { respond_with(exchange, large); };
  TestClient client = front.connect();
  std::string bytes;
  for (int i = 0; i < 50; ++i) bytes += get("/");
  client.send(bytes);
  // Until the client reads, the socket's buffers and one answer more are all that is made.
  front.settle();
  EXPECT_LT(front.paths.size(), 20u);
  ASSERT_TRUE(client.awaits_bytes(50 * large.size()));
  EXPECT_TRUE(front.until([&] {
    client.receive();
    return front.paths.size() == 50;
  }));
}

// A socket that is full when it is tried and has room right behind that tells nobody.
TEST(Connection, PipelinedLargeAnswersGoOnBesideAQuickReader) {
  TestFront front;
  const std::string large(200 << 10, 'x');
  front.answer = [&](Exchange& exchange) { respond_with(exchange, large); };
  TestClient client = front.connect();
  std::string bytes;
  for (int i = 0; i < 20; ++i) bytes += get("/");
  for (int round = 1; round <= 50; ++round) {
    client.send(bytes);
    std::atomic<bool> done = false;
    const std::jthread reader([&] {
      std::vector<char> buffer(64 << 10);
      for (std::size_t received = 0; received < 20 * large.size();) {
        const ssize_t count = ::recv(client.socket(), buffer.data(), buffer.size(), 0);
        if (count <= 0) break;
        received += static_cast<std::size_t>(count);
      }
      done = true;
    });
    EXPECT_TRUE(front.until([&] { return done.load(); })) << front.paths.size() << " handled";
    if (!done) ::shutdown(client.socket(), SHUT_RDWR);
    ASSERT_EQ(front.paths.size(), static_cast<std::size_t>(round) * 20);
    client.receive();
  }
}

TEST(Connection, ParsesNothingWhileARequestIsHandled) {
  TestFront front;
  front.hold = true;
  TestClient client = front.connect();
  client.send(get("/one") + get("/two"));
  ASSERT_TRUE(front.until([&] { return front.held.size() == 1; }));
  client.send(get("/three"));
  front.settle();
  EXPECT_EQ(front.held.size(), 1u);
  EXPECT_EQ(front.held[0]->request().path, "/one");

  respond_with(*front.held[0], "first");
  ASSERT_TRUE(front.until([&] { return front.held.size() == 2; }));
  respond_with(*front.held[1], "second");
  ASSERT_TRUE(front.until([&] { return front.held.size() == 3; }));
  respond_with(*front.held[2], "third");
  ASSERT_TRUE(client.awaits("third"));
  EXPECT_LT(client.received().find("first"), client.received().find("second"));
  EXPECT_EQ(front.paths, (std::vector<std::string>{"/one", "/two", "/three"}));
}

TEST(Connection, AnswersOfOneRequestMayComeFromAnothersHandler) {
  TestFront front;
  front.answer = [&](Exchange& exchange) {
    if (exchange.request().path == "/wait") {
      front.held.push_back(&exchange);
      return;
    }
    if (!front.held.empty()) {
      respond_with(*front.held[0], "released");
      front.held.clear();
    }
    // What was received with this request must still be what the client sent.
    respond_with(exchange, fmt::format("{} done", exchange.request().path));
  };
  TestClient waiting = front.connect();
  waiting.send(get("/wait", "Connection: close\r\n") + std::string(200, 'z'));
  ASSERT_TRUE(front.until([&] { return front.held.size() == 1; }));
  waiting.send(std::string(5'000, 'z'));
  TestClient other = front.connect();
  other.send(get("/a") + get("/b") + get("/c"));
  EXPECT_TRUE(other.awaits("/c done"));
  EXPECT_TRUE(waiting.awaits("released"));
  EXPECT_EQ(front.paths, (std::vector<std::string>{"/wait", "/a", "/b", "/c"}));
}

TEST(Connection, ARequestBeingHandledHasNoDeadlineHere) {
  TestFront front;
  front.hold = true;
  TestClient client = front.connect();
  client.send(get("/"));
  ASSERT_TRUE(front.until([&] { return front.held.size() == 1; }));
  front.advance(Milliseconds(3'600'000));
  EXPECT_FALSE(front.held[0]->client_gone());
  respond_with(*front.held[0], "late");
  EXPECT_TRUE(client.awaits("late"));
}

TEST(Connection, AnAnswerForAClientThatLeftIsDropped) {
  TestFront front;
  front.hold = true;
  TestClient client = front.connect();
  client.send(get("/"));
  ASSERT_TRUE(front.until([&] { return front.held.size() == 1; }));
  client.reset();
  ASSERT_TRUE(front.until([&] { return front.held[0]->client_gone(); }));
  EXPECT_EQ(front.held[0]->request().path, "/");
  EXPECT_EQ(front.server->counters().active, 1u);

  respond_with(*front.held[0], "nobody hears this");
  EXPECT_TRUE(front.until([&] { return front.server->counters().active == 0; }));
  EXPECT_EQ(front.server->counters().abandoned, 1u);
}

TEST(Connection, AVerbatimAnswerForAClientThatLeftIsDropped) {
  TestFront front;
  front.hold = true;
  TestClient client = front.connect();
  client.send(get("/"));
  ASSERT_TRUE(front.until([&] { return front.held.size() == 1; }));
  client.reset();
  ASSERT_TRUE(front.until([&] { return front.held[0]->client_gone(); }));
  EXPECT_TRUE(front.held[0]->respond_verbatim("HTTP/1.1 200 OK\r\n\r\nx"));
  EXPECT_TRUE(front.until([&] { return front.server->counters().active == 0; }));
}

TEST(Connection, AClientThatFinishedSendingStillGetsItsAnswers) {
  TestFront front;
  front.hold = true;
  TestClient client = front.connect();
  client.send(get("/one") + get("/two"));
  client.finish_sending();
  ASSERT_TRUE(front.until([&] { return front.held.size() == 1; }));
  front.settle();
  EXPECT_FALSE(front.held[0]->client_gone());
  respond_with(*front.held[0], "first");
  ASSERT_TRUE(front.until([&] { return front.held.size() == 2; }));
  respond_with(*front.held[1], "second");
  EXPECT_TRUE(client.awaits_close());
  EXPECT_TRUE(client.received().ends_with("second"));
  EXPECT_FALSE(client.was_reset());
}

TEST(Connection, ClosesBehindTheAnswerWhenTheClientAsks) {
  TestFront front;
  TestClient client = front.connect();
  client.send(get("/one", "Connection: close\r\n") + get("/two"));
  EXPECT_TRUE(client.awaits("GET /one \n"));
  client.finish_sending();
  EXPECT_TRUE(client.awaits_close());
  EXPECT_NE(client.received().find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(front.paths, std::vector<std::string>{"/one"});
}

TEST(Connection, ClosesBehindTheAnswerWhenTheHandlerAsks) {
  TestFront front;
  front.answer = [](Exchange& exchange) {
    Response response;
    response.headers = {{"connection", "close"}};
    exchange.respond(std::move(response));
  };
  TestClient client = front.connect();
  client.send(get("/"));
  EXPECT_TRUE(client.awaits_close());
  EXPECT_EQ(count_of(client.received(), "Connection: close\r\n"), 1u);
}

TEST(Connection, FollowsTheRulesOfHttp10) {
  TestFront front;
  TestClient plain = front.connect();
  plain.send("GET /old HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(plain.awaits_close());
  EXPECT_TRUE(plain.received().ends_with("GET /old \n"));

  TestClient kept = front.connect();
  kept.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(kept.awaits("GET /1 \n"));
  EXPECT_NE(kept.received().find("Connection: keep-alive\r\n"), std::string::npos);
  kept.send("GET /2 HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(kept.awaits_close());
  EXPECT_TRUE(kept.received().ends_with("GET /2 \n"));
}

TEST(Connection, SaysContinueBeforeTheBody) {
  TestFront front;
  TestClient client = front.connect();
  client.send("POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  ASSERT_TRUE(client.awaits("HTTP/1.1 100 Continue\r\n\r\n"));
  EXPECT_TRUE(front.paths.empty());
  client.send("bo");
  front.settle();
  client.send("dy");
  ASSERT_TRUE(client.awaits("POST /x body\n"));
  EXPECT_EQ(count_of(client.received(), "100 Continue"), 1u);

  client.send("POST /y HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  ASSERT_TRUE(front.until([&] {
    client.receive();
    return count_of(client.received(), "100 Continue") == 2;
  }));
}

TEST(Connection, SaysNoContinueWhenTheBodyIsThere) {
  TestFront front;
  TestClient client = front.connect();
  client.send(
      "POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody");
  ASSERT_TRUE(client.awaits("POST /x body\n"));
  EXPECT_EQ(client.received().find("100 Continue"), std::string::npos);
}

TEST(Connection, AnIdleOneIsClosedInSilence) {
  TestFront front;
  TestClient client = front.connect();
  client.send(get("/"));
  ASSERT_TRUE(client.awaits("GET / \n"));
  const std::size_t so_far = client.received().size();
  front.advance(Milliseconds(14'000));
  EXPECT_EQ(front.server->counters().active, 1u);
  front.advance(Milliseconds(1'001));
  EXPECT_TRUE(client.awaits_close());
  EXPECT_EQ(client.received().size(), so_far);
}

TEST(Connection, EveryRequestBeginsANewIdleTime) {
  TestFront front;
  TestClient client = front.connect();
  for (int i = 0; i < 4; ++i) {
    client.send(get("/" + std::to_string(i)));
    ASSERT_TRUE(client.awaits("GET /" + std::to_string(i))) << i;
    front.advance(Milliseconds(10'000));
  }
}

TEST(Connection, OneThatNeverSpeaksIsClosedInSilence) {
  TestFront front;
  TestClient client = front.connect();
  front.advance(Milliseconds(10'001));
  EXPECT_TRUE(client.awaits_close());
  EXPECT_EQ(client.received(), "");
}

TEST(Connection, ALargeAnswerGoesOutAsTheClientReads) {
  TestFront front;
  const std::string large(20 << 20, 'x');
  front.answer = [&](Exchange& exchange) { respond_with(exchange, large); };
  TestClient client = front.connect();
  client.send(get("/"));
  front.settle();
  EXPECT_LT(front.server->counters().bytes_sent, large.size());
  ASSERT_TRUE(client.awaits_bytes(large.size()));
  front.answer = nullptr;
  client.send(get("/after"));
  EXPECT_TRUE(client.awaits("GET /after \n"));
}

TEST(Connection, AReaderThatStopsIsGivenUp) {
  TestFront front;
  front.answer = [&](Exchange& exchange) { respond_with(exchange, std::string(20 << 20, 'x')); };
  TestClient client = front.connect();
  client.send(get("/"));
  ASSERT_TRUE(front.until([&] { return front.paths.size() == 1; }));
  front.advance(Milliseconds(29'000));
  EXPECT_EQ(front.server->counters().active, 1u);
  // What the client's kernel took meanwhile is told apart from standing still after another 30 s.
  front.advance(Milliseconds(1'001));
  front.advance(Milliseconds(30'001));
  EXPECT_EQ(front.server->counters().active, 0u);
  EXPECT_EQ(front.server->counters().timeouts, 1u);
}

TEST(Connection, AReaderThatDripsIsGivenUp) {
  TestFront front;
  front.answer = [&](Exchange& exchange) { respond_with(exchange, std::string(20 << 20, 'x')); };
  TestClient client = front.connect();
  client.send(get("/"));
  ASSERT_TRUE(front.until([&] { return front.paths.size() == 1; }));
  front.settle();
  int seconds = 0;
  for (; seconds < 600 && front.server->counters().active == 1; seconds += 10) {
    char byte;
    ASSERT_EQ(::recv(client.socket(), &byte, 1, MSG_DONTWAIT), 1);
    front.advance(Milliseconds(10'000));
  }
  EXPECT_LE(seconds, 60);
}

// Whatever the kernel holds of an answer, who takes some of it does not stand still.
TEST(Connection, AReaderThatIsSlowButMovesGetsItsAnswer) {
  TestFront front;
  const std::string large(60 << 20, 'x');
  front.answer = [&](Exchange& exchange) { respond_with(exchange, large); };
  TestClient client = front.connect();
  client.send(get("/"));
  ASSERT_TRUE(front.until([&] { return front.paths.size() == 1; }));
  front.settle();
  std::string taken(600 << 10, '\0');
  std::size_t sum = 0;
  for (std::size_t i = 1; i <= 10; ++i) {
    ASSERT_TRUE(front.until([&] {
      const ssize_t count = ::recv(client.socket(), taken.data(),
                                   std::min(taken.size(), i * taken.size() - sum), MSG_DONTWAIT);
      sum += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
      return sum == i * taken.size();
    }));
    front.advance(Milliseconds(29'000));
    ASSERT_EQ(front.server->counters().active, 1u) << i;
  }
  ASSERT_TRUE(client.awaits_bytes(large.size() - sum));
}

TEST(Connection, ReadersThatStopShareOneBudget) {
  ServerOptions options;
  options.unsent_bytes_max = 100 << 20;
  TestFront front(options);
  const std::string large(40 << 20, 'x');
  front.answer = [&](Exchange& exchange) { respond_with(exchange, large); };
  std::vector<TestClient> clients;
  for (std::size_t i = 0; i < 6; ++i) {
    clients.push_back(front.connect());
    clients[i].send(get("/"));
    ASSERT_TRUE(front.until([&] { return front.paths.size() == i + 1; }));
    front.settle();
  }
  // Whatever the sockets hold, three or four of them are too many.
  EXPECT_GE(front.server->counters().given_up, 2u);
  EXPECT_LE(front.server->counters().given_up, 4u);
  // Those that came first are gone; the last one is served to its end, and others, too.
  EXPECT_TRUE(clients[0].awaits_close());
  EXPECT_LT(clients[0].received().size(), large.size());
  EXPECT_TRUE(clients[5].awaits_bytes(large.size()));
  front.answer = nullptr;
  TestClient other = front.connect();
  other.send(get("/other"));
  EXPECT_TRUE(other.awaits("GET /other \n"));
}

TEST(Connection, AnAnswerAboveTheWholeBudgetEndsItsOwnConnection) {
  ServerOptions options;
  options.unsent_bytes_max = 1 << 20;
  TestFront front(options);
  front.answer = [&](Exchange& exchange) { respond_with(exchange, std::string(40 << 20, 'x')); };
  TestClient client = front.connect();
  client.send(get("/"));
  EXPECT_TRUE(front.until([&] { return front.server->counters().given_up == 1; }));
  EXPECT_TRUE(client.awaits_close());
  EXPECT_TRUE(front.until([&] { return front.server->counters().active == 0; }));
}

TEST(Connection, AtMost32AnswersAreGathered) {
  TestFront front;
  std::size_t gathered = 0;
  std::size_t most = 0;
  std::uint64_t sent = 0;
  front.answer = [&](Exchange& exchange) {
    gathered = sent == front.server->counters().bytes_sent ? gathered + 1 : 1;
    sent = front.server->counters().bytes_sent;
    most = std::max(most, gathered);
    respond_with(exchange, "ok");
  };
  TestClient client = front.connect();
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += get("/");
  client.send(bytes + get("/last", "Connection: close\r\n"));
  EXPECT_TRUE(client.awaits_close());
  EXPECT_EQ(count_of(client.received(), kOk), 1001u);
  EXPECT_EQ(most, 32u);
}

// Where a connection can be when its client goes, and what it has got by then.
struct Leaving {
  const char* state;
  std::string sent;    // before the client goes
  bool hold;           // the handler answers later
  std::string on_fin;  // part of the answer to one that only stopped sending; empty: none
};

std::vector<Leaving> ways_to_leave() {
  const std::string large = "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
  return {
      {"before a request", "", false, ""},
      {"inside a request line", "GET /", false, "HTTP/1.1 400 "},
      {"inside a head", "GET / HTTP/1.1\r\nHo", false, "HTTP/1.1 400 "},
      {"inside a body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe", false,
       "HTTP/1.1 400 "},
      {"inside a chunk", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
       false, "HTTP/1.1 400 "},
      {"between requests", get("/one"), false, "GET /one \n"},
      {"handling", get("/one"), true, "late"},
      {"handling, the next inside its head", get("/one") + "GET /", true, "HTTP/1.1 400 "},
      {"sending", large, false, "the end"},
      {"refused", "nonsense\r\n\r\n", false, "HTTP/1.1 400 "},
  };
}

void let_answer(TestFront& front) {
  front.answer = [&front](Exchange& exchange) {
    if (front.hold) return front.held.push_back(&exchange);
    const Request& request = exchange.request();
    respond_with(exchange, request.path == "/large"
                               ? std::string(20 << 20, 'x') + "the end"
                               : fmt::format("{} {} \n", request.method, request.path));
  };
}

TEST(Connection, AClientThatStopsSendingIsAnsweredInEveryState) {
  for (const Leaving& leaving : ways_to_leave()) {
    SCOPED_TRACE(leaving.state);
    TestFront front;
    let_answer(front);
    front.hold = leaving.hold;
    TestClient client = front.connect();
    client.send(leaving.sent);
    front.settle();
    client.finish_sending();
    front.settle();
    if (leaving.hold) {
      ASSERT_EQ(front.held.size(), 1u);
      EXPECT_FALSE(front.held[0]->client_gone());
      respond_with(*front.held[0], "late");
    }
    EXPECT_TRUE(client.awaits_close());
    EXPECT_FALSE(client.was_reset());
    EXPECT_NE(client.received().find(leaving.on_fin), std::string::npos) << client.received();
    EXPECT_EQ(client.received().empty(), leaving.on_fin.empty());
    EXPECT_TRUE(front.until([&] { return front.server->counters().active == 0; }));
    EXPECT_EQ(front.server->counters().timeouts, 0u);
  }
}

TEST(Connection, AClientThatResetsIsForgottenInEveryState) {
  for (const Leaving& leaving : ways_to_leave()) {
    SCOPED_TRACE(leaving.state);
    TestFront front;
    let_answer(front);
    front.hold = leaving.hold;
    TestClient client = front.connect();
    client.send(leaving.sent);
    front.settle();
    client.reset();
    front.settle();
    if (leaving.hold) {
      ASSERT_EQ(front.held.size(), 1u);
      EXPECT_TRUE(front.held[0]->client_gone());
      respond_with(*front.held[0], "late");
    }
    EXPECT_TRUE(front.until([&] { return front.server->counters().active == 0; }));
    EXPECT_EQ(front.server->counters().timeouts, 0u);
    // Others are served as before.
    front.hold = false;
    TestClient other = front.connect();
    other.send(get("/other"));
    EXPECT_TRUE(other.awaits("GET /other \n"));
  }
}

TEST(Connection, LingersNoLongerThanTwoSeconds) {
  TestFront front;
  TestClient client = front.connect();
  client.send("nonsense\r\n\r\n");
  ASSERT_TRUE(client.awaits("HTTP/1.1 400 "));
  front.settle();
  EXPECT_EQ(front.server->counters().active, 1u);
  client.send("still talking");
  front.advance(Milliseconds(1'900));
  EXPECT_EQ(front.server->counters().active, 1u);
  front.advance(Milliseconds(101));
  EXPECT_EQ(front.server->counters().active, 0u);
}

constexpr std::string_view kDate = "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n";

// Answers a GET, a version of HTTP and other headers with these bytes; what the client gets.
std::string sent_verbatim(const std::string& bytes, std::string_view request = get("/")) {
  TestFront front;
  front.answer = [&](Exchange& exchange) { EXPECT_TRUE(exchange.respond_verbatim(bytes)); };
  TestClient client = front.connect();
  client.send(request);
  client.finish_sending();
  EXPECT_TRUE(client.awaits_close());
  return client.received();
}

TEST(Connection, SendsVerbatimAnswersAsTheyAre) {
  const std::string answer =
      fmt::format("HTTP/1.1 299 Odd\r\ncontent-length: 2\r\nX:y\r\n{}\r\nok", kDate);
  EXPECT_EQ(sent_verbatim(answer, get("/") + get("/")), answer + answer);
}

TEST(Connection, AddsADateToVerbatimAnswersWithout) {
  const std::string sent = sent_verbatim("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_TRUE(sent.starts_with("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: ")) << sent;
  EXPECT_TRUE(sent.ends_with(" GMT\r\n\r\nok")) << sent;
}

TEST(Connection, AVerbatimAnswerWithoutFramingEndsTheConnection) {
  EXPECT_EQ(sent_verbatim(fmt::format("HTTP/1.1 200 OK\r\n{}\r\nhello", kDate)),
            fmt::format("HTTP/1.1 200 OK\r\n{}Connection: close\r\n\r\nhello", kDate));
}

TEST(Connection, AVerbatimAnswerThatSaysCloseIsNotToldTwice) {
  const std::string answer =
      fmt::format("HTTP/1.1 200 OK\r\nconnection: x, close\r\n{}Content-Length: 0\r\n\r\n", kDate);
  EXPECT_EQ(sent_verbatim(answer), answer);
}

TEST(Connection, NothingBehindAVerbatimAnswerReachesTheClient) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  const std::string sent = sent_verbatim(answer + answer);
  EXPECT_EQ(count_of(sent, "HTTP/1.1 200 OK"), 1u) << sent;
  EXPECT_TRUE(sent.ends_with("Connection: close\r\n\r\nok")) << sent;
}

TEST(Connection, AnOldClientGetsNoChunksAndNoInterimResponses) {
  const std::string request = "GET / HTTP/1.0\r\n\r\n";
  const std::string chunked = sent_verbatim(
      "HTTP/1.1 201 Created\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
      request);
  EXPECT_TRUE(chunked.starts_with("HTTP/1.1 201 Created\r\nX: y\r\n")) << chunked;
  EXPECT_EQ(chunked.find("chunked"), std::string::npos);
  EXPECT_NE(chunked.find("Content-Length: 3\r\n"), std::string::npos);
  EXPECT_TRUE(chunked.ends_with("\r\n\r\nabc"));

  const std::string interim = fmt::format(
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n{}Connection: "
      "close\r\nContent-Length: 0\r\n\r\n",
      kDate);
  EXPECT_EQ(sent_verbatim(interim), interim);
  EXPECT_EQ(sent_verbatim(interim, request), interim.substr(interim.find("HTTP/1.1 200")));
}

TEST(Connection, ALargeVerbatimAnswerIsWhole) {
  const std::string body(3 << 20, 'b');
  const std::string sent = sent_verbatim(
      fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}behind", body.size(), body));
  EXPECT_TRUE(sent.ends_with("Connection: close\r\n\r\n" + body));
}

TEST(Connection, ADrainIsToldBehindVerbatimAnswers) {
  TestFront front;
  front.hold = true;
  TestClient client = front.connect();
  client.send(get("/"));
  ASSERT_TRUE(front.until([&] { return front.held.size() == 1; }));
  front.server->drain([] {});
  front.settle();
  front.held[0]->respond_verbatim("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_TRUE(client.awaits_close());
  EXPECT_NE(client.received().find("\r\nConnection: close\r\n"), std::string::npos);
}

}  // namespace
}  // namespace nur
