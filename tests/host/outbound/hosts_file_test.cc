#include "host/outbound/hosts_file.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

std::string found(const HostsFile& hosts, std::string_view name) {
  std::string text;
  for (const IpAddress& address : hosts.find(name)) text += to_string(address) + " ";
  return text;
}

TEST(HostsFile, HasEveryNameOfALine) {
  const HostsFile hosts = HostsFile::parse(
      "# comment\n\n10.0.0.5\tdb.internal  DB # the old one\r\n10.0.0.6 db\n::1 six\n10.0.0.5 "
      "db\n");
  EXPECT_EQ(found(hosts, "db.internal"), "10.0.0.5 ");
  EXPECT_EQ(found(hosts, "db"), "10.0.0.5 10.0.0.6 ");
  EXPECT_EQ(found(hosts, "six"), "::1 ");
  EXPECT_EQ(found(hosts, "old"), "");
  EXPECT_EQ(found(hosts, "nobody"), "");
}

TEST(HostsFile, KnowsLocalhostWithoutAFile) {
  EXPECT_EQ(found(HostsFile::parse(""), "localhost"), "127.0.0.1 ::1 ");
  EXPECT_EQ(found(HostsFile::read("/nowhere/at/all"), "localhost"), "127.0.0.1 ::1 ");
  EXPECT_EQ(found(HostsFile::parse("127.0.0.1 localhost\n"), "localhost"), "127.0.0.1 ");
}

TEST(HostsFile, SkipsLinesThatMakeNoSense) {
  const HostsFile hosts = HostsFile::parse(
      "nonsense host1\n127.1 host2\n10.0.0.1\n10.0.0.1 10.0.0.2 a/b host3\nfe80::1%eth0 host4\n");
  EXPECT_EQ(found(hosts, "host1"), "");
  EXPECT_EQ(found(hosts, "host2"), "");
  EXPECT_EQ(found(hosts, "host3"), "10.0.0.1 ");
  EXPECT_EQ(found(hosts, "host4"), "");
  EXPECT_EQ(found(hosts, "10.0.0.2"), "");
}

TEST(HostsFile, KeepsAFewAddressesOfAName) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += fmt::format("10.0.{}.{} many\n", i / 250, i % 250);
  EXPECT_EQ(HostsFile::parse(text).find("many").size(), 16U);
}

}  // namespace
}  // namespace nur
