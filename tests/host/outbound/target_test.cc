#include "host/outbound/target.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

TEST(Target, IsAHostAndAPort) {
  const Result<Target> target = parse_target("Api.Example.TEST.:443");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->host, "api.example.test");
  EXPECT_EQ(target->port, 443);
  EXPECT_FALSE(target->literal);
}

TEST(Target, KnowsAddressesOfBothFamilies) {
  EXPECT_EQ(parse_target("192.0.2.1:80")->literal, parse_ip("192.0.2.1"));
  EXPECT_EQ(parse_target("[2001:db8::1]:80")->literal, parse_ip("2001:db8::1"));
  EXPECT_EQ(parse_target("[::ffff:127.0.0.1]:80")->literal, parse_ip("127.0.0.1"));
  EXPECT_EQ(parse_target("[::ffff:127.0.0.1]:80")->host, "127.0.0.1");
  EXPECT_EQ(make_target("2001:db8::1", 80)->literal, parse_ip("2001:db8::1"));
}

TEST(Target, RefusesWhatIsNone) {
  for (const char* const text : {"",
                                 ":",
                                 "host",
                                 "host:",
                                 ":80",
                                 "host:0",
                                 "host:65536",
                                 "host:-1",
                                 "host:+1",
                                 "host:8 0",
                                 "host:80:80",
                                 "2001:db8::1:80",
                                 "[2001:db8::1]",
                                 "[2001:db8::1:80",
                                 "2001:db8::1]:80",
                                 "[127.0.0.1]:80",
                                 "[]:80",
                                 "[::1]x:80",
                                 "a b:80",
                                 "a/b:80",
                                 "user@host:80",
                                 "host?:80",
                                 "host#:80",
                                 "-host:80",
                                 "host-:80",
                                 "a..b:80",
                                 ".host:80",
                                 "host..:80",
                                 "h\xc3\xb6st:80",
                                 "http://host:80",
                                 "*:80",
                                 "*.host:80",
                                 "host\n:80",
                                 "host%00:80",
                                 "%6c:80"}) {
    const Result<Target> target = parse_target(text);
    ASSERT_FALSE(target) << text;
    EXPECT_EQ(target.error().kind, ErrorKind::invalid_input);
  }
  EXPECT_FALSE(parse_target(std::string_view("host\0:80", 8)));
}

// Each of these is 127.0.0.1 or 169.254.169.254 to some program, and must never reach a resolver
// that might be one of them.
TEST(Target, RefusesNamesThatEndLikeANumber) {
  for (const char* const host : {"127.1",
                                 "127.0.1",
                                 "2130706433",
                                 "017700000001",
                                 "0x7f000001",
                                 "0x7f.1",
                                 "0x7f.0.0.1",
                                 "0X7F000001",
                                 "0177.0.0.1",
                                 "0177.0.0.01",
                                 "127.0.0.01",
                                 "127.0.0.0x1",
                                 "127.0x1",
                                 "0",
                                 "0x0",
                                 "0x",
                                 "00",
                                 "1",
                                 "0.0",
                                 "127.0.0.1.1",
                                 "2852039166",
                                 "0xa9fea9fe",
                                 "025177524776",
                                 "169.254.43518",
                                 "169.16689662",
                                 "0xA9.0xFE.0xA9.0xFE",
                                 "0251.0376.0251.0376",
                                 "169.0xfe.43518",
                                 "10.1",
                                 "192.168.257",
                                 "a.127",
                                 "a.0x7f",
                                 "host.1",
                                 "256.256.256.256",
                                 "127.0.0.1.",
                                 "127.1.",
                                 "999999999999999999999"}) {
    const Result<Target> target = make_target(host, 80);
    if (std::string_view(host) == "127.0.0.1.") {
      // The dot at the end is taken from names; of addresses it makes nothing.
      EXPECT_FALSE(target && !target->literal) << host;
      continue;
    }
    EXPECT_FALSE(target) << host;
  }
}

TEST(Target, TakesNamesUpToTheirLongest) {
  const std::string label(63, 'a');
  EXPECT_TRUE(make_target(label + ".test", 1));
  EXPECT_FALSE(make_target("a" + label + ".test", 1));
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  ASSERT_EQ(longest.size(), 253U);
  EXPECT_TRUE(make_target(longest, 1));
  EXPECT_FALSE(make_target(longest + "b", 1));
  EXPECT_FALSE(make_target(std::string(1'000'000, 'a'), 1));
  EXPECT_TRUE(make_target("_service._tcp.example.test", 1));
  EXPECT_TRUE(make_target("1and1.example", 1));
  EXPECT_TRUE(make_target("3com", 1));
  EXPECT_TRUE(make_target("0x7g", 1));
}

}  // namespace
}  // namespace nur
