#include <vector>

#include <gtest/gtest.h>

#include "tests/host/net/test_front.h"

namespace nur {
namespace {

TEST(Drain, IsDoneAtOnceWhenNobodyIsThere) {
  TestFront front;
  bool done = false;
  front.server->drain([&] { done = true; });
  EXPECT_FALSE(done);
  EXPECT_TRUE(front.until([&] { return done; }));
}

TEST(Drain, ClosesIdleConnectionsAndFinishesTheOthers) {
  TestFront front;
  TestClient idle = front.connect();
  idle.send(get("/idle"));
  ASSERT_TRUE(idle.awaits("GET /idle"));
  TestClient partial = front.connect();
  partial.send("GET /partial HTTP/1.1\r\n");
  front.settle();
  front.hold = true;
  TestClient busy = front.connect();
  busy.send(get("/busy") + get("/too-late"));
  ASSERT_TRUE(front.until([&] { return front.held.size() == 1; }));

  bool done = false;
  front.server->drain([&] { done = true; });
  EXPECT_TRUE(idle.awaits_close());
  front.settle();
  EXPECT_FALSE(done);

  front.hold = false;
  partial.send("Host: a\r\n\r\n");
  EXPECT_TRUE(partial.awaits_close());
  EXPECT_NE(partial.received().find("GET /partial"), std::string::npos);
  EXPECT_NE(partial.received().find("Connection: close\r\n"), std::string::npos);
  EXPECT_FALSE(done);

  front.held[0]->respond({.status = 200, .reason = "", .headers = {}, .body = "busy done"});
  EXPECT_TRUE(busy.awaits("busy done"));
  EXPECT_NE(busy.received().find("Connection: close\r\n"), std::string::npos);
  busy.finish_sending();
  EXPECT_TRUE(front.until([&] { return done; }));
  EXPECT_EQ(front.paths, (std::vector<std::string>{"/idle", "/busy", "/partial"}));
}

TEST(Drain, KeepsIdleConnectionsForAWhileAndAnswersTheirLastRequest) {
  TestFront front;
  TestClient first = front.connect();
  TestClient silent = front.connect();
  for (TestClient* const client : {&first, &silent}) {
    client->send(get("/before"));
    ASSERT_TRUE(client->awaits("GET /before"));
  }
  bool done = false;
  front.server->drain([&] { done = true; }, Milliseconds(10'000));
  front.settle();

  first.send(get("/behind"));
  EXPECT_TRUE(first.awaits_close());
  EXPECT_NE(first.received().find("GET /behind"), std::string::npos);
  EXPECT_NE(first.received().find("Connection: close\r\n"), std::string::npos);
  front.settle();
  EXPECT_FALSE(done);

  front.clock.advance(Milliseconds(10'000));
  EXPECT_TRUE(silent.awaits_close());
  EXPECT_TRUE(front.until([&] { return done; }));
}

TEST(Drain, AnswersARequestThatCameJustBefore) {
  TestFront front;
  TestClient client = front.connect();
  client.send(get("/first"));
  ASSERT_TRUE(client.awaits("GET /first"));
  client.send(get("/second"));
  bool done = false;
  front.server->drain([&] { done = true; });
  EXPECT_TRUE(client.awaits_close());
  EXPECT_NE(client.received().find("GET /second"), std::string::npos);
  EXPECT_TRUE(front.until([&] { return done; }));
}

TEST(Drain, AnswersWhoConnectedBefore) {
  TestFront front;
  std::vector<TestClient> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(front.connect_unaccepted());
    clients.back().send(get("/waiting"));
  }
  bool done = false;
  front.server->drain([&] { done = true; });
  for (TestClient& client : clients) {
    EXPECT_TRUE(client.awaits_close());
    EXPECT_NE(client.received().find("GET /waiting"), std::string::npos);
  }
  EXPECT_TRUE(front.until([&] { return done; }));
}

TEST(Drain, AcceptsNobodyNew) {
  TestFront front;
  front.server->drain([] {});
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress& address = front.server->address();
  EXPECT_NE(
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.bytes),
      0);
}

TEST(Drain, MayBeginInsideAHandlerAndDestroyTheServer) {
  TestFront front;
  front.answer = [&](Exchange& exchange) {
    front.server->drain([&] { front.server.reset(); });
    exchange.respond({.status = 200, .reason = "", .headers = {}, .body = "bye"});
  };
  TestClient other = front.connect();
  TestClient client = front.connect();
  client.send(get("/"));
  EXPECT_TRUE(client.awaits_close());
  EXPECT_TRUE(client.received().ends_with("bye"));
  EXPECT_TRUE(other.awaits_close());
  EXPECT_TRUE(front.until([&] { return front.server == nullptr; }));
}

TEST(Stop, ClosesEverythingAndWaitsOnlyForAnswers) {
  TestFront front;
  TestClient idle = front.connect();
  front.hold = true;
  TestClient busy = front.connect();
  busy.send(get("/"));
  ASSERT_TRUE(front.until([&] { return front.held.size() == 1; }));
  bool done = false;
  front.server->drain([&] { done = true; });
  front.server->stop();
  EXPECT_TRUE(idle.awaits_close());
  EXPECT_TRUE(busy.awaits_close());
  EXPECT_TRUE(front.held[0]->client_gone());
  front.settle();
  EXPECT_FALSE(done);
  front.held[0]->respond({});
  EXPECT_TRUE(front.until([&] { return done; }));
}

TEST(Stop, MayBeCalledInsideAHandler) {
  TestFront front;
  front.answer = [&](Exchange& exchange) {
    front.server->stop();
    EXPECT_TRUE(exchange.client_gone());
    exchange.respond({});
  };
  TestClient client = front.connect();
  client.send(get("/") + get("/again"));
  EXPECT_TRUE(client.awaits_close());
  EXPECT_TRUE(front.until([&] { return front.server->counters().active == 0; }));
  EXPECT_EQ(front.paths.size(), 1u);
}

}  // namespace
}  // namespace nur
