#include "host/outbound/resolver.h"

#include <chrono>
#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/host/outbound/dns_server.h"

namespace nur {
namespace {

using test::DnsServer;
using Kind = DnsServer::Reply::Kind;

class ResolverTest : public ::testing::Test {
 protected:
  void open(ResolverOptions options = {}) {
    options.servers = server_.address();
    options.hosts_file = "/nowhere/hosts";
    Result<std::unique_ptr<Resolver>> opened = Resolver::open(*loop_, options);
    ASSERT_TRUE(opened) << opened.error().message;
    resolver_ = *std::move(opened);
  }

  std::unique_ptr<Resolver::Lookup> ask(const std::string& target) {
    return resolver_->find(policy_, *parse_target(target), [this] { ++told_; });
  }
  void wait(const Resolver::Lookup& lookup) {
    // Bounded: a resolver that never answers fails the test.
    for (int turn = 0; turn < 2000 && lookup.answer() == nullptr; ++turn) {
      ASSERT_TRUE(loop_->run_once(Milliseconds(10)));
    }
  }
  std::string answer_of(const std::string& target) {
    const std::unique_ptr<Resolver::Lookup> lookup = ask(target);
    wait(*lookup);
    return text(*lookup);
  }
  static std::string text(const Resolver::Lookup& lookup) {
    if (lookup.answer() == nullptr) return "nothing";
    if (!*lookup.answer()) {
      static constexpr const char* kNames[] = {"denied", "unknown", "timed_out", "busy", "failed"};
      return kNames[static_cast<int>(lookup.answer()->error())];
    }
    std::string all;
    for (const IpAddress& address : **lookup.answer())
      all += (all.empty() ? "" : " ") + to_string(address);
    return all;
  }
  static OutboundPolicy policy_of(std::vector<std::string> rules) {
    return *OutboundPolicy::parse(rules);
  }

  SystemClock clock_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::open(clock_);
  DnsServer server_{*loop_};
  OutboundPolicy policy_ = policy_of({"*:443"});
  int told_ = 0;
  std::unique_ptr<Resolver> resolver_;
};

TEST_F(ResolverTest, AsksForANameAndHasItsAddresses) {
  open();
  server_.set("a.test", {{Kind::addresses, {"93.184.216.34", "93.184.216.35"}}});
  EXPECT_EQ(answer_of("A.Test:443"), "93.184.216.34 93.184.216.35");
  EXPECT_EQ(told_, 1);
  EXPECT_EQ(resolver_->queries(), 0U);
}

TEST_F(ResolverTest, AddressesAndLocalhostNeedNoQuery) {
  open();
  policy_ = policy_of({"*:443", "loopback:80"});
  EXPECT_EQ(answer_of("93.184.216.34:443"), "93.184.216.34");
  EXPECT_EQ(answer_of("[2606:4700:4700::1111]:443"), "2606:4700:4700::1111");
  EXPECT_EQ(answer_of("localhost:80"), "127.0.0.1 ::1");
  EXPECT_EQ(answer_of("127.0.0.1:443"), "denied");
  EXPECT_EQ(answer_of("localhost:443"), "denied");
  EXPECT_EQ(server_.asked(), 0);
  EXPECT_EQ(told_, 0);
}

TEST_F(ResolverTest, HonoursTheHostsFile) {
  const ScratchDir folder = *ScratchDir::create("hosts");
  ASSERT_TRUE(
      write_file(folder.path() / "hosts", "10.1.2.3 db.internal\n93.184.216.34 web.test\n"));
  ResolverOptions options;
  options.servers = server_.address();
  options.hosts_file = folder.path() / "hosts";
  resolver_ = *Resolver::open(*loop_, options);
  policy_ = policy_of({"10.0.0.0/8:5432", "web.test:443"});

  EXPECT_EQ(answer_of("db.internal:5432"), "10.1.2.3");
  EXPECT_EQ(answer_of("db.internal:80"), "denied");
  EXPECT_EQ(answer_of("web.test:443"), "93.184.216.34");
  EXPECT_EQ(server_.asked(), 0);
}

TEST_F(ResolverTest, AsksForNoNameThatIsNotOpen) {
  open();
  policy_ = policy_of({"open.test:443", "10.0.0.0/8:80"});
  EXPECT_EQ(answer_of("secret.evil.test:443"), "denied");
  EXPECT_EQ(answer_of("secret.evil.test:80"), "denied");
  EXPECT_EQ(answer_of("open.test:80"), "denied");
  EXPECT_EQ(server_.asked(), 0);
}

TEST_F(ResolverTest, AsksForNoNameInASearchDomain) {
  ASSERT_EQ(::setenv("LOCALDOMAIN", "search.test", 1), 0);
  ASSERT_EQ(::setenv("RES_OPTIONS", "ndots:5", 1), 0);
  open();
  ::unsetenv("LOCALDOMAIN");
  ::unsetenv("RES_OPTIONS");
  server_.set("open.test.search.test", {{Kind::addresses, {"93.184.216.34"}}});
  policy_ = policy_of({"open.test:443"});
  EXPECT_EQ(answer_of("open.test:443"), "unknown");
  EXPECT_EQ(server_.asked("open.test.search.test"), 0);
  EXPECT_GT(server_.asked("open.test"), 0);
}

// A name that is open, and its owner lets it mean what is not.
TEST_F(ResolverTest, DropsAddressesThatAreNotPermitted) {
  open();
  server_.set("a.test", {{Kind::addresses, {"127.0.0.1", "93.184.216.34", "169.254.169.254"}}});
  server_.set("b.test", {{Kind::addresses, {"10.0.0.1", "0.0.0.0"}}});
  EXPECT_EQ(answer_of("a.test:443"), "93.184.216.34");
  EXPECT_EQ(answer_of("b.test:443"), "denied");
}

TEST_F(ResolverTest, ChecksEveryAnswerOfANameThatIsRebound) {
  open();
  server_.set("a.test", {{Kind::addresses, {"93.184.216.34"}}, {Kind::addresses, {"127.0.0.1"}}});
  EXPECT_EQ(answer_of("a.test:443"), "93.184.216.34");
  EXPECT_EQ(answer_of("a.test:443"), "denied");
  EXPECT_EQ(server_.asked("a.test"), 2);
}

TEST_F(ResolverTest, RemembersForAsLongAsTheAnswerSays) {
  open();
  server_.set("a.test", {{Kind::addresses, {"93.184.216.34"}, 3600}});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(answer_of("a.test:443"), "93.184.216.34");
  EXPECT_EQ(server_.asked("a.test"), 1);
  // What is remembered is not yet permitted: another function may not have it open.
  policy_ = policy_of({"other.test:443"});
  EXPECT_EQ(answer_of("a.test:443"), "denied");
}

TEST_F(ResolverTest, RemembersAFewNames) {
  ResolverOptions options;
  options.remembered_max = 8;
  open(options);
  for (int i = 0; i < 50; ++i) {
    const std::string name = fmt::format("n{}.test", i);
    server_.set(name, {{Kind::addresses, {"93.184.216.34"}, 3600}});
    EXPECT_EQ(answer_of(name + ":443"), "93.184.216.34");
  }
  int again = 0;
  for (int i = 0; i < 50; ++i) {
    const int before = server_.asked();
    answer_of(fmt::format("n{}.test:443", i));
    again += server_.asked() - before;
  }
  EXPECT_GE(again, 42);
}

TEST_F(ResolverTest, SharesAQueryAmongAllWhoAsk) {
  open();
  server_.set("a.test", {{Kind::addresses, {"93.184.216.34"}}});
  std::vector<std::unique_ptr<Resolver::Lookup>> lookups;
  for (int i = 0; i < 1000; ++i) lookups.push_back(ask("a.test:443"));
  EXPECT_EQ(resolver_->queries(), 1U);
  wait(*lookups.front());
  for (const auto& lookup : lookups) EXPECT_EQ(text(*lookup), "93.184.216.34");
  EXPECT_EQ(told_, 1000);
  EXPECT_EQ(server_.asked("a.test"), 1);
}

TEST_F(ResolverTest, KnowsNamesThatDoNotExist) {
  open();
  EXPECT_EQ(answer_of("nobody.test:443"), "unknown");
  server_.set("empty.test", {{Kind::addresses, {}}});
  EXPECT_EQ(answer_of("empty.test:443"), "unknown");
}

TEST_F(ResolverTest, SaysWhenServersFail) {
  open();
  server_.set("a.test", {{Kind::server_failure, {}}});
  EXPECT_EQ(answer_of("a.test:443"), "failed");
}

TEST_F(ResolverTest, GivesUpOnServersThatDoNotAnswer) {
  ResolverOptions options;
  options.timeout = Milliseconds(100);
  open(options);
  server_.set("a.test", {{Kind::silence, {}}});
  EXPECT_EQ(answer_of("a.test:443"), "timed_out");
  // c-ares gives it up a little later, and then nothing is left.
  for (int turn = 0; turn < 500 && resolver_->queries() > 0; ++turn) {
    ASSERT_TRUE(loop_->run_once(Milliseconds(10)));
  }
  EXPECT_EQ(resolver_->queries(), 0U);
}

TEST_F(ResolverTest, BelievesNoAnswerToAnotherQuestion) {
  for (const Kind kind : {Kind::junk, Kind::wrong_id, Kind::wrong_name}) {
    ResolverOptions options;
    options.timeout = Milliseconds(200);
    resolver_.reset();
    open(options);
    server_.set("a.test", {{kind, {"93.184.216.34"}}});
    const std::string answer = answer_of("a.test:443");
    EXPECT_TRUE(answer == "timed_out" || answer == "failed")
        << static_cast<int>(kind) << ": " << answer;
  }
}

TEST_F(ResolverTest, UsesAFewAddressesOfMany) {
  open();
  DnsServer::Reply reply;
  for (int i = 0; i < 25; ++i) reply.addresses.push_back(fmt::format("93.184.216.{}", i));
  server_.set("a.test", {reply});
  const std::unique_ptr<Resolver::Lookup> lookup = ask("a.test:443");
  wait(*lookup);
  ASSERT_TRUE(*lookup->answer());
  EXPECT_EQ((*lookup->answer())->size(), 16U);
}

TEST_F(ResolverTest, HasSoManyQueriesAtOnceAndNoMore) {
  ResolverOptions options;
  options.queries_max = 8;
  options.timeout = Milliseconds(100);
  open(options);
  std::vector<std::unique_ptr<Resolver::Lookup>> lookups;
  for (int i = 0; i < 8; ++i) {
    server_.set(fmt::format("n{}.test", i), {{Kind::silence, {}}});
    lookups.push_back(ask(fmt::format("n{}.test:443", i)));
    EXPECT_EQ(lookups.back()->answer(), nullptr);
  }
  EXPECT_EQ(text(*ask("one-more.test:443")), "busy");
  EXPECT_EQ(text(*ask("93.184.216.34:443")), "93.184.216.34");
  for (const auto& lookup : lookups) wait(*lookup);
  for (int turn = 0; turn < 500 && resolver_->queries() > 0; ++turn) {
    ASSERT_TRUE(loop_->run_once(Milliseconds(10)));
  }
  server_.set("one-more.test", {{Kind::addresses, {"93.184.216.34"}}});
  EXPECT_EQ(answer_of("one-more.test:443"), "93.184.216.34");
}

TEST_F(ResolverTest, TellsNobodyWhoHasLeft) {
  open();
  server_.set("a.test", {{Kind::addresses, {"93.184.216.34"}}});
  ask("a.test:443").reset();
  const std::unique_ptr<Resolver::Lookup> stays = ask("a.test:443");
  wait(*stays);
  EXPECT_EQ(told_, 1);
}

TEST_F(ResolverTest, MayEndWithQueriesUnderWay) {
  open();
  server_.set("a.test", {{Kind::silence, {}}});
  const std::unique_ptr<Resolver::Lookup> lookup = ask("a.test:443");
  ASSERT_TRUE(loop_->run_once(Milliseconds(0)));
  resolver_.reset();
  EXPECT_EQ(lookup->answer(), nullptr);
  EXPECT_EQ(told_, 0);
}

TEST_F(ResolverTest, WhoeverIsToldMayAskAgain) {
  open();
  server_.set("a.test", {{Kind::addresses, {"93.184.216.34"}}});
  std::unique_ptr<Resolver::Lookup> second;
  const std::unique_ptr<Resolver::Lookup> first =
      resolver_->find(policy_, *parse_target("a.test:443"), [&] { second = ask("a.test:443"); });
  wait(*first);
  ASSERT_NE(second, nullptr);
  wait(*second);
  EXPECT_EQ(text(*second), "93.184.216.34");
}

TEST_F(ResolverTest, RefusesServersThatMakeNoSense) {
  ResolverOptions options;
  options.servers = "dns.example.test";
  const Result<std::unique_ptr<Resolver>> opened = Resolver::open(*loop_, options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::invalid_input);
}

}  // namespace
}  // namespace nur
