#include "host/net/socket_address.h"

#include <gtest/gtest.h>

#include "host/net/listener.h"

namespace nur {
namespace {

TEST(SocketAddress, ReadsWhatPeopleWrite) {
  const std::pair<const char*, const char*> cases[] = {
      {"127.0.0.1:8080", "127.0.0.1:8080"},
      {"[::1]:8080", "[::1]:8080"},
      {":8080", "127.0.0.1:8080"},
      {"8080", "127.0.0.1:8080"},
      {"localhost:1", "127.0.0.1:1"},
      {"0.0.0.0:65535", "0.0.0.0:65535"},
      {"[::]:0", "[::]:0"},
  };
  for (const auto& [text, meaning] : cases) {
    const Result<SocketAddress> address = parse_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(to_string(*address), meaning);
  }
}

TEST(ClientKey, IsTheAddressOrTheNetworkOf64Bits) {
  const auto key = [](const char* text) { return client_key(*parse_address(text)); };
  EXPECT_EQ(key("127.0.0.1:1"), key("127.0.0.1:2"));
  EXPECT_NE(key("127.0.0.1:1"), key("127.0.0.2:1"));
  EXPECT_EQ(key("[2001:db8::1]:1"), key("[2001:db8:0:0:ffff::2]:1"));
  EXPECT_NE(key("[2001:db8::1]:1"), key("[2001:db8:0:1::1]:1"));
  EXPECT_EQ(key("[::ffff:127.0.0.1]:1"), key("127.0.0.1:1"));
  EXPECT_NE(key("[::1]:1"), key("[::ffff:0.0.0.1]:1"));
}

TEST(SocketAddress, RefusesWhatIsNoAddress) {
  for (const char* text : {"", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                           "127.0.0.1:80x", "::1:80", "[::1]", "[::1]80", "[]:80", "[:80",
                           "name:80", "1.2.3:80", "127.0.0.1 :80", "[127.0.0.1]:80"}) {
    const Result<SocketAddress> address = parse_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().kind, ErrorKind::invalid_input);
  }
}

TEST(SocketAddress, KnowsWildcards) {
  EXPECT_TRUE(parse_address("0.0.0.0:1")->is_wildcard());
  EXPECT_TRUE(parse_address("[::]:1")->is_wildcard());
  EXPECT_FALSE(parse_address(":1")->is_wildcard());
}

TEST(SocketAddress, KnowsWhatIsOfThisMachineAlone) {
  for (const char* own : {"127.0.0.1:1", "127.255.0.9:1", "[::1]:1", ":1", "localhost:1"}) {
    EXPECT_TRUE(parse_address(own)->is_loopback()) << own;
  }
  for (const char* other : {"0.0.0.0:1", "[::]:1", "128.0.0.1:1", "[fe80::1]:1"}) {
    EXPECT_FALSE(parse_address(other)->is_loopback()) << other;
  }
}

TEST(ListenOn, NamesTheAddressThatIsInUse) {
  const Result<Fd> first = listen_on(*parse_address("127.0.0.1:0"));
  ASSERT_TRUE(first);
  SocketAddress bound;
  bound.bytes = sizeof bound.storage;
  ASSERT_EQ(::getsockname(first->get(), reinterpret_cast<sockaddr*>(&bound.storage), &bound.bytes),
            0);
  const Result<Fd> second = listen_on(bound);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::invalid_input);
  EXPECT_NE(second.error().message.find(to_string(bound)), std::string::npos);
}

TEST(ListenOn, SharesAPortWhenAsked) {
  const Result<Fd> first = listen_on(*parse_address("127.0.0.1:0"), {.reuse_port = true});
  ASSERT_TRUE(first);
  SocketAddress bound;
  bound.bytes = sizeof bound.storage;
  ASSERT_EQ(::getsockname(first->get(), reinterpret_cast<sockaddr*>(&bound.storage), &bound.bytes),
            0);
  EXPECT_TRUE(listen_on(bound, {.reuse_port = true}));
}

}  // namespace
}  // namespace nur
