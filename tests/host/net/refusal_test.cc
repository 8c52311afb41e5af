// Every status the front answers by itself. Each is followed by the end of the connection.
#include <gtest/gtest.h>

#include "tests/host/net/test_front.h"

namespace nur {
namespace {

// Sends `bytes` and expects `status_line` as the one answer, then a close without a reset.
void expect_refusal(TestFront& front, std::string_view bytes, std::string_view status_line) {
  TestClient client = front.connect();
  client.send(bytes);
  EXPECT_TRUE(client.awaits(status_line)) << client.received();
  client.finish_sending();
  EXPECT_TRUE(client.awaits_close());
  EXPECT_FALSE(client.was_reset());
  EXPECT_TRUE(client.received().starts_with(status_line)) << client.received();
  EXPECT_NE(client.received().find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_EQ(count_of(client.received(), "HTTP/1.1 "), 1u) << client.received();
  EXPECT_TRUE(front.paths.empty());
}

TEST(Refusal, Answers400ToMalformedRequests) {
  TestFront front;
  expect_refusal(front, "GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n" + get("/next"),
                 "HTTP/1.1 400 Bad Request\r\n");
}

TEST(Refusal, Answers400WhenTheConnectionEndsInsideARequest) {
  TestFront front;
  TestClient client = front.connect();
  client.send("GET / HTTP/1.1\r\nHo");
  client.finish_sending();
  EXPECT_TRUE(client.awaits_close());
  EXPECT_TRUE(client.received().starts_with("HTTP/1.1 400 ")) << client.received();
}

TEST(Refusal, Answers408WhenAHeadIsNotWholeInTime) {
  TestFront front;
  TestClient client = front.connect();
  client.send("GET / HTTP/1.1\r\n");
  // The deadline is absolute: lines that keep coming do not move it.
  for (int i = 0; i < 9; ++i) {
    front.advance(Milliseconds(1000));
    client.send("X: y\r\n");
  }
  front.settle();
  client.receive();
  EXPECT_EQ(client.received(), "");
  front.advance(Milliseconds(1001));
  EXPECT_TRUE(client.awaits("HTTP/1.1 408 Request Timeout\r\n"));
  client.finish_sending();
  EXPECT_TRUE(client.awaits_close());
}

TEST(Refusal, Answers408WhenABodyStalls) {
  TestFront front;
  TestClient client = front.connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  front.advance(Milliseconds(4'999));
  client.receive();
  EXPECT_EQ(client.received(), "");
  front.advance(Milliseconds(2));
  EXPECT_TRUE(client.awaits("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_TRUE(front.paths.empty());
}

TEST(Refusal, Answers408WhenABodyStallsAfterAGoodBeginning) {
  TestFront front;
  TestClient client = front.connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" +
              std::string(900'000, 'x'));
  front.advance(Milliseconds(29'000));
  client.receive();
  EXPECT_EQ(client.received(), "");
  front.advance(Milliseconds(1'001));
  EXPECT_TRUE(client.awaits("HTTP/1.1 408 Request Timeout\r\n"));
}

// One KiB a second, from the sixth second on.
TEST(Refusal, Answers408ToABodyBelowTheLeastRate) {
  for (const std::size_t rate : {500, 1100}) {
    TestFront front;
    TestClient client = front.connect();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 22000\r\n\r\n");
    front.settle();
    for (int seconds = 0; seconds < 20 && client.received().empty(); ++seconds) {
      client.send(std::string(rate, 'x'));
      front.advance(Milliseconds(1'000));
      client.receive();
    }
    if (rate < 1024) {
      EXPECT_TRUE(client.received().starts_with("HTTP/1.1 408 ")) << rate;
    } else {
      EXPECT_TRUE(client.awaits("HTTP/1.1 200 OK\r\n")) << rate;
    }
  }
}

TEST(Refusal, Answers408WhenABodyDrips) {
  TestFront front;
  TestClient client = front.connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  int seconds = 0;
  for (; seconds < 600 && client.received().empty(); seconds += 10) {
    client.send("x");
    front.advance(Milliseconds(10'000));
    client.receive();
  }
  EXPECT_TRUE(client.awaits("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_LE(seconds, 10);
}

TEST(Refusal, Answers413BeforeReadingABodyTooLarge) {
  TestFront front;
  expect_refusal(front, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n",
                 "HTTP/1.1 413 Content Too Large\r\n");
}

TEST(Refusal, Answers413WhileTheBodyIsStillComing) {
  TestFront front;
  expect_refusal(
      front,
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n" + std::string(3'000'000, 'x'),
      "HTTP/1.1 413 Content Too Large\r\n");
}

TEST(Refusal, Answers413ToAChunkedBodyTooLarge) {
  ServerOptions options;
  options.limits.body_bytes_max = 10;
  TestFront front(options);
  expect_refusal(front,
                 "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "8\r\n12345678\r\n8\r\n12345678\r\n0\r\n\r\n",
                 "HTTP/1.1 413 Content Too Large\r\n");
}

// The front waits for nothing that it would not take: neither for the rest of a body that says how
// long it is, nor for a chunk that says so.
TEST(Refusal, Answers413ByTheLimitOfThePathAtTheHead) {
  TestFront front;
  front.body_limits = {{"/strict", 10}, {"/generous", 4 << 20}, {"/none", 0}};
  expect_refusal(front, "POST /strict HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n",
                 "HTTP/1.1 413 Content Too Large\r\n");
  expect_refusal(front, "POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
                 "HTTP/1.1 413 Content Too Large\r\n");
  expect_refusal(front,
                 "POST /strict HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                 "Content-Length: 11\r\n\r\n",
                 "HTTP/1.1 413 Content Too Large\r\n");
  // Another path has the limit of all.
  expect_refusal(front, "POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n",
                 "HTTP/1.1 413 Content Too Large\r\n");
}

TEST(Refusal, Answers413ByTheLimitOfThePathAtTheChunkThatExceedsIt) {
  TestFront front;
  front.body_limits = {{"/strict", 10}};
  expect_refusal(front,
                 "POST /strict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "8\r\n12345678\r\n3\r\n",
                 "HTTP/1.1 413 Content Too Large\r\n");
}

TEST(Refusal, DoesNotMeetAPathThatTakesMoreThanTheOthers) {
  ServerOptions options;
  options.limits.body_bytes_max = 10;
  TestFront front(options);
  front.body_limits = {{"/generous", 1 << 20}};
  const std::string body(1 << 20, 'x');
  TestClient client = front.connect();
  client.send(fmt::format("POST /generous HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}",
                          body.size(), body));
  EXPECT_TRUE(client.awaits_bytes(body.size()));
  client.send(
      "POST /generous HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "b\r\n12345678901\r\n0\r\n\r\n");
  EXPECT_TRUE(client.awaits("12345678901\n"));
  EXPECT_EQ(front.paths.size(), 2U);
  // Once for each head; and who sends no body costs nothing.
  EXPECT_EQ(front.limits_asked, 2U);
  client.send(get("/generous"));
  EXPECT_TRUE(client.awaits("GET /generous"));
  EXPECT_EQ(front.limits_asked, 2U);
}

TEST(Refusal, Answers414ToALongTarget) {
  TestFront front;
  expect_refusal(front, get("/" + std::string(9000, 'a')), "HTTP/1.1 414 URI Too Long\r\n");
}

TEST(Refusal, Answers417ToUnknownExpectations) {
  TestFront front;
  expect_refusal(front, get("/", "Expect: tea\r\n"), "HTTP/1.1 417 Expectation Failed\r\n");
}

TEST(Refusal, Answers431ToALargeHead) {
  TestFront front;
  expect_refusal(front, get("/", "X: " + std::string(17'000, 'y') + "\r\n"),
                 "HTTP/1.1 431 Request Header Fields Too Large\r\n");
}

TEST(Refusal, Answers501ToUnknownMethods) {
  TestFront front;
  expect_refusal(front, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 501 Not Implemented\r\n");
}

TEST(Refusal, Answers501ToUnknownTransferCodings) {
  TestFront front;
  expect_refusal(front, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
                 "HTTP/1.1 501 Not Implemented\r\n");
}

TEST(Refusal, Answers503AboveTheConnectionLimit) {
  ServerOptions options;
  options.connections_max = 2;
  TestFront front(options);
  TestClient first = front.connect();
  TestClient second = front.connect();
  expect_refusal(front, get("/"), "HTTP/1.1 503 Service Unavailable\r\n");
  EXPECT_EQ(front.server->counters().turned_away, 1u);

  first.close();
  EXPECT_TRUE(front.until([&] { return front.server->counters().active == 1; }));
  TestClient third = front.connect();
  third.send(get("/third"));
  EXPECT_TRUE(third.awaits("GET /third"));
}

// All clients of these tests come from one address.
TEST(Refusal, Answers429AboveTheLimitOfOneClient) {
  ServerOptions options;
  options.connections_per_client = 2;
  TestFront front(options);
  TestClient first = front.connect();
  TestClient second = front.connect();
  second.send(get("/second"));
  ASSERT_TRUE(second.awaits("GET /second"));
  front.paths.clear();
  // An idle connection is not given up for one more of the same client.
  expect_refusal(front, get("/"), "HTTP/1.1 429 Too Many Requests\r\n");
  EXPECT_EQ(front.server->counters().turned_away, 1u);

  first.close();
  EXPECT_TRUE(front.until([&] { return front.server->counters().active == 1; }));
  TestClient third = front.connect();
  third.send(get("/third"));
  EXPECT_TRUE(third.awaits("GET /third"));
  EXPECT_EQ(front.server->counters().turned_away, 1u);
}

TEST(Refusal, Answers505ToOtherVersions) {
  TestFront front;
  expect_refusal(front, "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
                 "HTTP/1.1 505 HTTP Version Not Supported\r\n");
}

TEST(Refusal, Answers502ForAnAnswerThatWouldSplit) {
  TestFront front;
  front.answer = [](Exchange& exchange) {
    Response response;
    response.headers = {{"X", "a\r\nSet-Cookie: b"}};
    exchange.respond(std::move(response));
  };
  TestClient client = front.connect();
  client.send(get("/"));
  EXPECT_TRUE(client.awaits("HTTP/1.1 502 Bad Gateway\r\n"));
  EXPECT_EQ(client.received().find("Set-Cookie"), std::string::npos);
}

TEST(Refusal, Answers502ForBytesThatAreNoResponse) {
  TestFront front;
  bool valid = true;
  front.answer = [&](Exchange& exchange) { valid = exchange.respond_verbatim("hello"); };
  TestClient client = front.connect();
  client.send(get("/"));
  EXPECT_TRUE(client.awaits("HTTP/1.1 502 Bad Gateway\r\n"));
  EXPECT_FALSE(valid);
}

}  // namespace
}  // namespace nur
