#include "host/outbound/outbound_policy.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

#include "host/outbound/own_addresses.h"

namespace nur {
namespace {

OutboundPolicy policy_of(std::vector<std::string> rules) {
  Result<OutboundPolicy> policy = OutboundPolicy::parse(rules);
  if (!policy) ADD_FAILURE() << policy.error().message;
  return policy ? *policy : OutboundPolicy();
}

// Whether `target` may be connected to at `address`, or at itself.
bool permits(const OutboundPolicy& policy, std::string_view target, std::string_view address = {}) {
  const Result<Target> parsed = parse_target(target);
  if (!parsed) return false;
  const std::optional<IpAddress> ip = address.empty() ? parsed->literal : parse_ip(address);
  if (!ip) ADD_FAILURE() << target << " at " << address;
  return ip && policy.permits(*parsed, *ip);
}

constexpr const char* kPublic = "93.184.216.34";
constexpr const char* kPublicV6 = "2606:4700:4700::1111";

// One or more of every range that is not public, in every spelling.
constexpr const char* kNotPublic[] = {
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::2",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0.0.0.0",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b::1.1.1.1",
    "64:ff9b:1::10.0.0.1",
    "100::1",
    "2001::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:101:101::",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
};

TEST(OutboundPolicy, PermitsNothingByItself) {
  const OutboundPolicy nothing;
  EXPECT_TRUE(nothing.is_empty());
  EXPECT_FALSE(permits(nothing, "example.test:443", kPublic));
  EXPECT_FALSE(permits(nothing, "93.184.216.34:443"));
  EXPECT_FALSE(permits(nothing, "127.0.0.1:80"));
  EXPECT_FALSE(nothing.may_ask(*parse_target("example.test:443")));
}

TEST(OutboundPolicy, ANameOpensItsPublicAddressesAtItsPort) {
  const OutboundPolicy policy = policy_of({"Api.Example.Test:443"});
  EXPECT_FALSE(policy.is_empty());
  EXPECT_TRUE(permits(policy, "api.example.test:443", kPublic));
  EXPECT_TRUE(permits(policy, "API.EXAMPLE.TEST.:443", kPublicV6));
  EXPECT_FALSE(permits(policy, "api.example.test:80", kPublic));
  EXPECT_FALSE(permits(policy, "example.test:443", kPublic));
  EXPECT_FALSE(permits(policy, "a.api.example.test:443", kPublic));
  EXPECT_FALSE(permits(policy, "api.example.test.evil.test:443", kPublic));
  EXPECT_FALSE(permits(policy, "93.184.216.34:443"));
  EXPECT_TRUE(policy.may_ask(*parse_target("api.example.test:443")));
  EXPECT_FALSE(policy.may_ask(*parse_target("api.example.test:80")));
  EXPECT_FALSE(policy.may_ask(*parse_target("other.test:443")));
}

TEST(OutboundPolicy, AUrlIsItsHostAndThePortOfItsScheme) {
  EXPECT_TRUE(permits(policy_of({"https://api.test"}), "api.test:443", kPublic));
  EXPECT_TRUE(permits(policy_of({"https://api.test/"}), "api.test:443", kPublic));
  EXPECT_FALSE(permits(policy_of({"https://api.test"}), "api.test:80", kPublic));
  EXPECT_TRUE(permits(policy_of({"http://api.test"}), "api.test:80", kPublic));
  EXPECT_TRUE(permits(policy_of({"https://api.test:8443"}), "api.test:8443", kPublic));
  EXPECT_FALSE(permits(policy_of({"https://api.test:8443"}), "api.test:443", kPublic));
  EXPECT_TRUE(permits(policy_of({"https://*"}), "any.test:443", kPublic));
}

TEST(OutboundPolicy, AStarInFrontOpensWhatIsBelow) {
  const OutboundPolicy policy = policy_of({"*.example.test:443"});
  EXPECT_TRUE(permits(policy, "a.example.test:443", kPublic));
  EXPECT_TRUE(permits(policy, "a.b.example.test:443", kPublic));
  EXPECT_FALSE(permits(policy, "example.test:443", kPublic));
  EXPECT_FALSE(permits(policy, "aexample.test:443", kPublic));
  EXPECT_FALSE(permits(policy, "a.example.test.evil:443", kPublic));
}

TEST(OutboundPolicy, NoNameOpensAnAddressThatIsNotPublic) {
  const OutboundPolicy policy = policy_of({"*:*", "*.test:*", "a.test:80", "https://*"});
  EXPECT_TRUE(permits(policy, "a.test:80", kPublic));
  EXPECT_TRUE(permits(policy, "a.test:80", kPublicV6));
  EXPECT_TRUE(permits(policy, "93.184.216.34:80"));
  for (const char* const address : kNotPublic) {
    EXPECT_FALSE(permits(policy, "a.test:80", address)) << address;
    EXPECT_FALSE(policy.permits(*make_target(address, 80), *parse_ip(address))) << address;
    EXPECT_FALSE(policy.permits(*make_target(address, 443), *parse_ip(address))) << address;
  }
}

// "Everything" is what is public, however it is written.
TEST(OutboundPolicy, AWideNetworkOpensNoAddressThatIsNotPublic) {
  const OutboundPolicy policy =
      policy_of({"0.0.0.0/0:80", "[::/0]:80", "0.0.0.0/1:80", "128.0.0.0/1:80", "8.0.0.0/6:80",
                 "[2000::/3]:80", "[::/8]:80", "160.0.0.0/5:80"});
  EXPECT_TRUE(permits(policy, "93.184.216.34:80"));
  EXPECT_TRUE(permits(policy, "[2606:4700:4700::1111]:80"));
  for (const char* const address : kNotPublic) {
    EXPECT_FALSE(policy.permits(*make_target(address, 80), *parse_ip(address))) << address;
  }
}

TEST(OutboundPolicy, AnAddressOpensItselfAndNoOther) {
  const OutboundPolicy policy = policy_of({"10.0.0.5:5432", "[fd00::5]:5432"});
  EXPECT_TRUE(permits(policy, "10.0.0.5:5432"));
  EXPECT_TRUE(permits(policy, "[::ffff:10.0.0.5]:5432"));
  EXPECT_TRUE(permits(policy, "[fd00::5]:5432"));
  EXPECT_FALSE(permits(policy, "10.0.0.5:5433"));
  EXPECT_FALSE(permits(policy, "10.0.0.6:5432"));
  EXPECT_FALSE(permits(policy, "[fd00::6]:5432"));
  EXPECT_FALSE(permits(policy, "[::10.0.0.5]:5432"));
  EXPECT_FALSE(permits(policy, "[64:ff9b::10.0.0.5]:5432"));
  // Names of the hosts file may lead there; DNS is not asked for them.
  EXPECT_TRUE(permits(policy, "db.internal:5432", "10.0.0.5"));
  EXPECT_FALSE(policy.may_ask(*parse_target("db.internal:5432")));
}

TEST(OutboundPolicy, ANetworkInsideASpecialRangeOpensItself) {
  struct Case {
    const char* rule;
    const char* inside;
    const char* outside;
  };
  for (const Case& c :
       {Case{"10.0.0.0/8:80", "10.1.2.3", "127.0.0.1"},
        Case{"10.1.0.0/16:80", "10.1.255.255", "10.2.0.0"},
        Case{"100.64.0.0/10:80", "100.100.0.1", "100.128.0.1"},
        Case{"127.0.0.0/8:80", "127.0.0.53", "126.0.0.1"},
        Case{"169.254.169.254:80", "169.254.169.254", "169.254.169.253"},
        Case{"169.254.0.0/16:80", "169.254.169.254", "169.253.0.1"},
        Case{"172.16.0.0/12:80", "172.31.0.1", "172.32.0.1"},
        Case{"192.168.0.0/16:80", "192.168.1.1", "192.169.0.1"},
        Case{"[fc00::/7]:80", "fd12::1", "fe80::1"}, Case{"[fe80::/10]:80", "fe80::1", "fec0::1"},
        Case{"[64:ff9b::/96]:80", "64:ff9b::1.1.1.1", "64:ff9b:1::1"},
        Case{"[::1]:80", "::1", "::2"}}) {
    const OutboundPolicy policy = policy_of({c.rule});
    EXPECT_TRUE(policy.permits(*make_target(c.inside, 80), *parse_ip(c.inside))) << c.rule;
    EXPECT_FALSE(policy.permits(*make_target(c.outside, 80), *parse_ip(c.outside))) << c.rule;
  }
}

TEST(OutboundPolicy, LoopbackAndPrivateAreOpenWhenTheyAreNamed) {
  const OutboundPolicy loopback = policy_of({"loopback:8181"});
  EXPECT_TRUE(permits(loopback, "127.0.0.1:8181"));
  EXPECT_TRUE(permits(loopback, "[::1]:8181"));
  EXPECT_TRUE(permits(loopback, "localhost:8181", "127.0.0.1"));
  EXPECT_FALSE(permits(loopback, "127.0.0.1:8182"));
  EXPECT_FALSE(permits(loopback, "10.0.0.1:8181"));
  EXPECT_FALSE(permits(loopback, "0.0.0.0:8181"));
  EXPECT_FALSE(permits(loopback, "localhost:8181", kPublic));
  EXPECT_TRUE(permits(policy_of({"localhost:8181"}), "127.0.0.1:8181"));
  EXPECT_TRUE(permits(policy_of({"loopback"}), "127.0.0.1:9999"));
  EXPECT_TRUE(permits(policy_of({"loopback:*"}), "127.0.0.1:9999"));

  const OutboundPolicy privates = policy_of({"private"});
  EXPECT_TRUE(permits(privates, "10.9.8.7:80"));
  EXPECT_TRUE(permits(privates, "172.20.0.1:80"));
  EXPECT_TRUE(permits(privates, "192.168.1.1:80"));
  EXPECT_TRUE(permits(privates, "[fd00::1]:80"));
  EXPECT_FALSE(permits(privates, "127.0.0.1:80"));
  EXPECT_FALSE(permits(privates, "169.254.169.254:80"));
  EXPECT_FALSE(permits(privates, "100.64.0.1:80"));
  EXPECT_FALSE(permits(privates, "93.184.216.34:80"));
}

TEST(OutboundPolicy, MailHasToBeNamed) {
  for (const char* const rule : {"*:*", "mail.test:*", "0.0.0.0/0:*"}) {
    EXPECT_FALSE(permits(policy_of({rule}), "mail.test:25", kPublic)) << rule;
    EXPECT_TRUE(permits(policy_of({rule}), "mail.test:26", kPublic)) << rule;
  }
  EXPECT_FALSE(permits(policy_of({"loopback"}), "127.0.0.1:25"));
  EXPECT_TRUE(permits(policy_of({"mail.test:25"}), "mail.test:25", kPublic));
  EXPECT_TRUE(permits(policy_of({"loopback:25"}), "127.0.0.1:25"));
}

TEST(OutboundPolicy, AnAddressDoesNotBecomeAnother) {
  const OutboundPolicy policy = policy_of({"*:80", "loopback:80"});
  EXPECT_FALSE(permits(policy, "93.184.216.34:80", "127.0.0.1"));
  EXPECT_FALSE(permits(policy, "93.184.216.34:80", "93.184.216.35"));
}

TEST(OutboundPolicy, RandomAddressesAreOpenOnlyWhenPublic) {
  const OutboundPolicy policy = policy_of({"*:*", "0.0.0.0/0:*", "[::/0]:*"});
  std::mt19937_64 random(42);
  int special = 0;
  for (int i = 0; i < 200'000; ++i) {
    IpAddress address;
    for (std::uint8_t& byte : address.bytes) byte = static_cast<std::uint8_t>(random());
    // Most of what is special begins with one of these.
    static constexpr std::uint8_t kFirst[] = {0, 10, 100, 127, 169, 172, 192, 198, 203, 224, 255};
    if (i % 2 == 0) {
      address = *parse_ip("0.0.0.0");
      address.bytes[12] =
          i % 4 == 0 ? kFirst[random() % std::size(kFirst)] : static_cast<std::uint8_t>(random());
      for (int b = 13; b < 16; ++b) address.bytes[b] = static_cast<std::uint8_t>(random());
    } else if (i % 3 == 0) {
      address.bytes[0] = 0x20;
      address.bytes[1] = static_cast<std::uint8_t>(random() % 4);
    }
    const bool is_public = special_range_of(address) == nullptr;
    special += is_public ? 0 : 1;
    EXPECT_EQ(policy.permits(*make_target(to_string(address), 443), address), is_public)
        << to_string(address);
  }
  EXPECT_GT(special, 10'000);
}

TEST(OutboundPolicy, RefusesRulesThatMakeNoSense) {
  struct Case {
    const char* rule;
    const char* says;
  };
  for (const Case& c :
       {Case{"", "which port?"},
        Case{"example.test", "write example.test:443"},
        Case{"*", "write *:443"},
        Case{"10.0.0.1", "write 10.0.0.1:443"},
        Case{"10.0.0.0/8", "which port?"},
        Case{"[::1]", "which port?"},
        Case{":443", "is no host"},
        Case{"example.test:", "which port?"},
        Case{"example.test:0", "is no port"},
        Case{"example.test:65536", "is no port"},
        Case{"example.test:http", "is no port"},
        Case{"loopback:x", "is no port"},
        Case{"::1:80", "in brackets"},
        Case{"fd00::/8:80", "in brackets"},
        Case{"10.0.0.1/8:80", "is no network"},
        Case{"10.0.0.0/40:80", "is no network"},
        Case{"10.0/8:80", "is no network"},
        Case{"0.0.0.0:80", "is nothing to connect to; for every public host write *:80"},
        Case{"255.255.255.255:80", "is nothing to connect to"},
        Case{"224.0.0.0/4:80", "is nothing to connect to"},
        Case{"[ff02::1]:80", "is nothing to connect to"},
        Case{"[::]:80", "is nothing to connect to"},
        Case{"127.1:80", "is no host"},
        Case{"0x7f000001:80", "is no host"},
        Case{"a.*.test:80", "is no host"},
        Case{"*test:80", "is no host"},
        Case{"*.10.0.0.1:80", "is no host"},
        Case{"**:80", "is no host"},
        Case{"user@host:80", "is no host"},
        Case{"ftp://host:80", "schemes are http and https"},
        Case{"https://host/path", "not paths"},
        Case{"https://user@host", "not paths"},
        Case{"exa mple.test:80", "is no host"}}) {
    const std::vector<std::string> rules = {c.rule};
    const Result<OutboundPolicy> policy = OutboundPolicy::parse(rules);
    ASSERT_FALSE(policy) << c.rule;
    EXPECT_EQ(policy.error().kind, ErrorKind::invalid_input) << c.rule;
    EXPECT_NE(policy.error().message.find(c.says), std::string::npos)
        << c.rule << ": " << policy.error().message;
    EXPECT_TRUE(policy.error().message.starts_with("outbound rule")) << policy.error().message;
  }
}

TEST(OutboundPolicy, TakesSoManyRulesAndNoMore) {
  std::vector<std::string> rules(kOutboundRulesMax, "a.test:1");
  EXPECT_TRUE(OutboundPolicy::parse(rules));
  rules.push_back("a.test:1");
  const Result<OutboundPolicy> policy = OutboundPolicy::parse(rules);
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().kind, ErrorKind::limit_exceeded);
}

// Public addresses of this machine lead to what listens here.
class OwnAddressesTest : public ::testing::Test {
 protected:
  static bool permits_own(const std::string& rule, std::string_view target,
                          std::string_view address = {}) {
    const std::vector<IpAddress> own = {*parse_ip(kPublic), *parse_ip(kPublicV6),
                                        *parse_ip("10.1.2.3"), *parse_ip("127.0.0.1")};
    const Result<OutboundPolicy> policy = OutboundPolicy::parse(std::span(&rule, 1), own);
    EXPECT_TRUE(policy) << rule;
    return permits(*policy, target, address);
  }
};

TEST_F(OwnAddressesTest, AreNoPublicHosts) {
  for (const std::string& own : {std::string(kPublic), "[" + std::string(kPublicV6) + "]"}) {
    EXPECT_FALSE(permits_own("*:443", own + ":443"));
    EXPECT_FALSE(permits_own("*:*", own + ":443"));
  }
  EXPECT_FALSE(permits_own("*:443", "example.test:443", kPublic));
  EXPECT_FALSE(permits_own("example.test:443", "example.test:443", kPublicV6));
  EXPECT_FALSE(permits_own("*.test:443", "example.test:443", kPublic));
  EXPECT_TRUE(permits_own("*:443", "example.test:443", "93.184.216.35"));
}

TEST_F(OwnAddressesTest, AreNotMeantByNetworks) {
  EXPECT_FALSE(permits_own("0.0.0.0/0:443", std::string(kPublic) + ":443"));
  EXPECT_FALSE(permits_own("[::/0]:443", std::string(kPublic) + ":443"));
  EXPECT_FALSE(permits_own("93.184.216.0/24:443", std::string(kPublic) + ":443"));
  EXPECT_FALSE(permits_own("10.0.0.0/8:443", "10.1.2.3:443"));
  EXPECT_FALSE(permits_own("private:443", "10.1.2.3:443"));
  EXPECT_TRUE(permits_own("private:443", "10.1.2.4:443"));
}

TEST_F(OwnAddressesTest, AreOpenToWhoNamesThem) {
  EXPECT_TRUE(permits_own("93.184.216.34:443", std::string(kPublic) + ":443"));
  EXPECT_FALSE(permits_own("93.184.216.34:443", std::string(kPublic) + ":80"));
  EXPECT_FALSE(permits_own("93.184.216.35:443", std::string(kPublic) + ":443"));
  EXPECT_TRUE(permits_own("10.1.2.3:443", "10.1.2.3:443"));
  EXPECT_TRUE(permits_own("loopback:443", std::string(kPublic) + ":443"));
  EXPECT_TRUE(permits_own("loopback:443", "10.1.2.3:443"));
  EXPECT_TRUE(permits_own("loopback:443", "127.0.0.1:443"));
  EXPECT_FALSE(permits_own("loopback:443", std::string(kPublic) + ":80"));
  EXPECT_FALSE(permits_own("127.0.0.1:443", std::string(kPublic) + ":443"));
  EXPECT_TRUE(permits_own("127.0.0.1:443", "127.0.0.1:443"));
}

TEST(OwnAddresses, AreThoseOfTheInterfaces) {
  const Result<std::vector<IpAddress>> own = own_addresses();
  ASSERT_TRUE(own) << own.error().message;
  std::set<std::string> seen;
  for (const IpAddress& address : *own) EXPECT_TRUE(seen.insert(to_string(address)).second);
  EXPECT_TRUE(seen.contains("127.0.0.1"));
}

}  // namespace
}  // namespace nur
