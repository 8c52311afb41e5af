#include "host/outbound/ip_address.h"

#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace nur {
namespace {

std::string range_of(std::string_view text) {
  const std::optional<IpAddress> address = parse_ip(text);
  if (!address) return "no address";
  const SpecialRange* const range = special_range_of(*address);
  return range == nullptr ? "public" : range->name;
}

struct Place {
  const char* address;
  const char* range;
};

// The first and the last address of every range, and their neighbours.
constexpr Place kPlaces[] = {
    {"0.0.0.0", "this network"},
    {"0.255.255.255", "this network"},
    {"1.0.0.0", "public"},
    {"9.255.255.255", "public"},
    {"10.0.0.0", "private network"},
    {"10.255.255.255", "private network"},
    {"11.0.0.0", "public"},
    {"100.63.255.255", "public"},
    {"100.64.0.0", "shared network of a provider"},
    {"100.100.100.200", "shared network of a provider"},
    {"100.127.255.255", "shared network of a provider"},
    {"100.128.0.0", "public"},
    {"126.255.255.255", "public"},
    {"127.0.0.0", "loopback"},
    {"127.0.0.1", "loopback"},
    {"127.255.255.255", "loopback"},
    {"128.0.0.0", "public"},
    {"168.63.129.15", "public"},
    {"168.63.129.16", "metadata service"},
    {"168.63.129.17", "public"},
    {"169.253.255.255", "public"},
    {"169.254.0.0", "link-local or metadata service"},
    {"169.254.169.254", "link-local or metadata service"},
    {"169.254.255.255", "link-local or metadata service"},
    {"169.255.0.0", "public"},
    {"172.15.255.255", "public"},
    {"172.16.0.0", "private network"},
    {"172.31.255.255", "private network"},
    {"172.32.0.0", "public"},
    {"191.255.255.255", "public"},
    {"192.0.0.0", "reserved"},
    {"192.0.0.192", "reserved"},
    {"192.0.1.0", "public"},
    {"192.0.2.1", "documentation"},
    {"192.0.3.0", "public"},
    {"192.88.99.1", "6to4 relay"},
    {"192.167.255.255", "public"},
    {"192.168.0.0", "private network"},
    {"192.168.255.255", "private network"},
    {"192.169.0.0", "public"},
    {"198.17.255.255", "public"},
    {"198.18.0.0", "network of measurements"},
    {"198.19.255.255", "network of measurements"},
    {"198.20.0.0", "public"},
    {"198.51.100.7", "documentation"},
    {"203.0.113.7", "documentation"},
    {"223.255.255.255", "public"},
    {"224.0.0.0", "multicast"},
    {"239.255.255.255", "multicast"},
    {"240.0.0.0", "reserved or broadcast"},
    {"255.255.255.255", "reserved or broadcast"},

    {"fd00:ec2::254", "metadata service"},
    {"fd00:ec2::253", "private network"},
    {"fd20:ce::254", "metadata service"},

    {"::", "unspecified"},
    {"::1", "loopback"},
    {"::2", "IPv4-compatible"},
    {"::127.0.0.1", "IPv4-compatible"},
    {"::ffff:127.0.0.1", "loopback"},
    {"::ffff:7f00:1", "loopback"},
    {"::ffff:10.0.0.1", "private network"},
    {"::ffff:169.254.169.254", "link-local or metadata service"},
    {"::ffff:0.0.0.0", "this network"},
    {"::ffff:1.1.1.1", "public"},
    {"::ffff:0:127.0.0.1", "unassigned"},
    {"64:ff9b::7f00:1", "NAT64"},
    {"64:ff9b::169.254.169.254", "NAT64"},
    {"64:ff9b:1::a00:1", "NAT64"},
    {"64:ff9b:2::", "unassigned"},
    {"100::1", "unassigned"},
    {"1fff:ffff::", "unassigned"},
    {"2000::", "public"},
    {"2001::", "reserved or Teredo"},
    {"2001:0:7f00:1::", "reserved or Teredo"},
    {"2001:1ff:ffff::", "reserved or Teredo"},
    {"2001:200::", "public"},
    {"2001:db8::1", "documentation"},
    {"2001:db9::", "public"},
    {"2002:7f00:1::", "6to4"},
    {"2002:a9fe:a9fe::1", "6to4"},
    {"2003::", "public"},
    {"2606:4700:4700::1111", "public"},
    {"3fff::1", "documentation"},
    {"3fff:1000::", "public"},
    {"4000::", "unassigned"},
    {"5f00::1", "unassigned"},
    {"fbff::", "unassigned"},
    {"fc00::1", "private network"},
    {"fdff:ffff::", "private network"},
    {"fe00::", "unassigned"},
    {"fe80::1", "link-local"},
    {"febf::1", "link-local"},
    {"fec0::1", "site-local"},
    {"feff::1", "site-local"},
    {"ff00::", "multicast"},
    {"ff02::1", "multicast"},
};

TEST(IpAddress, EveryRangeEndsWhereItEnds) {
  for (const Place& place : kPlaces)
    EXPECT_EQ(range_of(place.address), place.range) << place.address;
}

TEST(IpAddress, OfV4WrittenAsV6IsTheSame) {
  std::mt19937 random(1);
  for (int i = 0; i < 10'000; ++i) {
    const auto byte = [&] { return static_cast<int>(random() % 256); };
    const std::string four = fmt::format("{}.{}.{}.{}", byte(), byte(), byte(), byte());
    const std::optional<IpAddress> v4 = parse_ip(four);
    const std::optional<IpAddress> mapped = parse_ip("::ffff:" + four);
    ASSERT_TRUE(v4 && mapped) << four;
    EXPECT_EQ(*v4, *mapped);
    EXPECT_TRUE(mapped->is_v4());
    EXPECT_EQ(to_string(*mapped), four);
    EXPECT_EQ(ip_of(socket_address(*mapped, 80)), v4);
    EXPECT_EQ(socket_address(*mapped, 80).storage.ss_family, AF_INET);
  }
}

TEST(IpAddress, OnlyOneSpellingOfV4IsOne) {
  for (const char* const text : {"",
                                 ".",
                                 "1",
                                 "127.1",
                                 "127.0.1",
                                 "2130706433",
                                 "017700000001",
                                 "0x7f000001",
                                 "0x7f.0.0.1",
                                 "0177.0.0.1",
                                 "127.0.0.01",
                                 "00.0.0.0",
                                 "127.0.0.1.",
                                 ".127.0.0.1",
                                 "127..0.1",
                                 "127.0.0.256",
                                 "1270.0.0.1",
                                 " 127.0.0.1",
                                 "127.0.0.1 ",
                                 "127.0.0.1\n",
                                 "127.0.0.0x1",
                                 "127.0.0.1/8",
                                 "\xef\xbc\x91\x32\x37.0.0.1",
                                 "127\xe3\x80\x82\x30.0.1",
                                 "1e2.0.0.1",
                                 "+127.0.0.1",
                                 "-1.0.0.1",
                                 "127.0.0.1%lo",
                                 "::1%lo",
                                 "fe80::1%eth0",
                                 "[::1]",
                                 ":::",
                                 "1::2::3",
                                 "::ffff:127.1",
                                 "::ffff:0127.0.0.1",
                                 "12345::",
                                 "::g",
                                 "0:0:0:0:0:0:0:0:1"}) {
    EXPECT_FALSE(parse_ip(text)) << text;
  }
  EXPECT_FALSE(parse_ip(std::string_view("127.0.0.1\0", 10)));
  EXPECT_FALSE(parse_ip(std::string(10'000, '1')));
}

TEST(IpNetwork, HasItsAddressesAndNoOthers) {
  const IpNetwork network = *parse_network("10.32.0.0/11");
  EXPECT_TRUE(network.contains(*parse_ip("10.32.0.0")));
  EXPECT_TRUE(network.contains(*parse_ip("10.63.255.255")));
  EXPECT_FALSE(network.contains(*parse_ip("10.31.255.255")));
  EXPECT_FALSE(network.contains(*parse_ip("10.64.0.0")));
  EXPECT_FALSE(network.contains(*parse_ip("::10.32.0.0")));
  EXPECT_TRUE(parse_network("::/0")->contains(*parse_ip("ffff::")));
  EXPECT_TRUE(parse_network("192.0.2.1/32")->contains(*parse_ip("192.0.2.1")));
  EXPECT_FALSE(parse_network("192.0.2.1/32")->contains(*parse_ip("192.0.2.0")));
}

TEST(IpNetwork, RefusesBitsBehindThePrefixAndWhatIsNone) {
  for (const char* const text :
       {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "/8", "10.0.0.0",
        "10/8", "fd00::1/8", "fd00::/129", "::1/0", "10.0.0.0/8x", "10.0.0.0/ 8"}) {
    EXPECT_FALSE(parse_network(text)) << text;
  }
}

}  // namespace
}  // namespace nur
