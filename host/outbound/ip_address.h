// IP addresses as numbers, networks of them, and which ones belong to nobody but this machine or
// its surroundings.
//
// Both families are 128 bits: 192.0.2.1 is ::ffff:192.0.2.1, so an address of IPv4 that is written
// as one of IPv6 is the same address, and no rule can be got round by that.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/net/socket_address.h"

namespace nur {

struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  [[nodiscard]] bool is_v4() const;
  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

// "192.0.2.1" with four decimal numbers and no leading zeros, or an address of IPv6 without a zone.
// Nothing else: not 127.1, 0x7f.0.0.1, 017700000001 or 2130706433, which some programs take for
// addresses, too.
std::optional<IpAddress> parse_ip(std::string_view text);
// nullopt for other families.
std::optional<IpAddress> ip_of(const SocketAddress& address);
// An address of IPv4 becomes one of AF_INET.
SocketAddress socket_address(const IpAddress& address, std::uint16_t port);
std::string to_string(const IpAddress& address);

struct IpNetwork {
  IpAddress base;
  unsigned prefix_bits = 128;  // of 128
  [[nodiscard]] bool contains(const IpAddress& address) const;
  [[nodiscard]] bool contains(const IpNetwork& other) const;
};

// "10.0.0.0/8", "fd00::/8"; nullopt also when bits behind the prefix are set.
std::optional<IpNetwork> parse_network(std::string_view text);

// A range that does not belong to the internet at large.
struct SpecialRange {
  IpNetwork network;
  const char* name;   // "loopback", "private network", ...
  bool can_be_named;  // false: nothing to connect to, whatever a rule says
};

// The smallest special range that an address lies in; nullptr when it is public. What no table
// knows of IPv6 is special, too: only 2000::/3 has ever been given out.
const SpecialRange* special_range_of(const IpAddress& address);

}  // namespace nur
