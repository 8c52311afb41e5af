// Where functions may connect to: nowhere, but for what a list of rules opens.
//
//   api.example.test:443        this name, at its public addresses
//   https://api.example.test    the same; http:// is port 80
//   *.example.test:443          every name below example.test
//   *:443                       every public host
//   198.51.100.7:5432           this address, [2001:db8::7]:5432
//   10.0.0.0/8:5432             these addresses, [fd00::/8]:5432
//   loopback:8181               this machine; "localhost" is the same
//   private:*                   10/8, 172.16/12, 192.168/16, fc00::/7
//
// A port is a number, or * for all but 25 (mail), which has to be named. Behind loopback and
// private it may be left out and is * then.
//
// A name can be made to mean any address by whoever answers for it, at any time. So what counts is
// the address that is connected to: a rule with a name opens public addresses only. Others (this
// machine, private networks, link-local ones with the metadata services of clouds, what is
// reserved) are open only to a rule that names them as addresses, and no wider than they are:
// 0.0.0.0/0 opens no private network. The addresses of this machine's own interfaces are open only
// to a rule that names that very address, or loopback.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "host/outbound/ip_address.h"
#include "host/outbound/target.h"

namespace nur {

class OutboundPolicy {
 public:
  // Nothing is open.
  OutboundPolicy() = default;
  // Errors: invalid_input, with the rule and what to write instead.
  // `own` are this machine's addresses (own_addresses.h).
  static Result<OutboundPolicy> parse(std::span<const std::string> rules,
                                      std::span<const IpAddress> own = {});

  // Whether nothing is open.
  [[nodiscard]] bool is_empty() const { return names_.empty() && networks_.empty(); }

  // Whether DNS may be asked for the target's name: a rule with a name has it. Asking is
  // telling, too, so no query is made for names that nobody has opened.
  [[nodiscard]] bool may_ask(const Target& target) const;

  // Whether a connection for `target` may go to `address`, which is what its name was resolved to.
  [[nodiscard]] bool permits(const Target& target, const IpAddress& address) const;

 private:
  struct PortRule {
    std::uint16_t port = 0;  // 0: all but 25
    [[nodiscard]] bool has(std::uint16_t asked) const;
  };
  struct NameRule {
    std::string name;    // empty: every name
    bool below = false;  // names below it instead
    PortRule port;
    [[nodiscard]] bool has(const Target& target) const;
  };
  struct NetworkRule {
    IpNetwork network;
    PortRule port;
    [[nodiscard]] bool has(const IpAddress& address, std::uint16_t port) const;
    // Whether it means this machine by one of its own addresses.
    [[nodiscard]] bool has_own(const IpAddress& address, std::uint16_t port) const;
  };

  Result<void> add(std::string_view rule);
  static Result<PortRule> parse_port(std::string_view text);

  std::vector<NameRule> names_;
  std::vector<NetworkRule> networks_;
  std::vector<IpAddress> own_;
};

// Most rules of one policy: each is looked at for every connection.
inline constexpr std::size_t kOutboundRulesMax = 256;

}  // namespace nur
