#include "host/outbound/ip_address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <netinet/in.h>

namespace nur {
namespace {

constexpr unsigned kV4Prefix = 96;  // bits in front of an address of IPv4

constexpr IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}};
}

constexpr IpAddress v6(std::uint16_t a, std::uint16_t b = 0, std::uint16_t c = 0,
                       std::uint16_t last = 0) {
  const auto high = [](std::uint16_t word) { return static_cast<std::uint8_t>(word >> 8); };
  const auto low = [](std::uint16_t word) { return static_cast<std::uint8_t>(word & 0xff); };
  return {{high(a), low(a), high(b), low(b), high(c), low(c), 0, 0, 0, 0, 0, 0, 0, 0, high(last),
           low(last)}};
}

constexpr SpecialRange v4_range(const IpAddress& base, unsigned bits, const char* name,
                                bool can_be_named = true) {
  return {{base, kV4Prefix + bits}, name, can_be_named};
}

constexpr SpecialRange v6_range(const IpAddress& base, unsigned bits, const char* name,
                                bool can_be_named = true) {
  return {{base, bits}, name, can_be_named};
}

// The special-purpose address registries of IANA (RFC 6890), and what clouds have added.
constexpr SpecialRange kSpecial[] = {
    v4_range(v4(0, 0, 0, 0), 8, "this network", false),
    v4_range(v4(10, 0, 0, 0), 8, "private network"),
    v4_range(v4(100, 64, 0, 0), 10, "shared network of a provider"),
    v4_range(v4(127, 0, 0, 0), 8, "loopback"),
    // Some clouds answer every machine here, with what is secret.
    v4_range(v4(168, 63, 129, 16), 32, "metadata service"),
    v4_range(v4(169, 254, 0, 0), 16, "link-local or metadata service"),
    v4_range(v4(172, 16, 0, 0), 12, "private network"),
    v4_range(v4(192, 0, 0, 0), 24, "reserved"),
    v4_range(v4(192, 0, 2, 0), 24, "documentation"),
    v4_range(v4(192, 88, 99, 0), 24, "6to4 relay"),
    v4_range(v4(192, 168, 0, 0), 16, "private network"),
    v4_range(v4(198, 18, 0, 0), 15, "network of measurements"),
    v4_range(v4(198, 51, 100, 0), 24, "documentation"),
    v4_range(v4(203, 0, 113, 0), 24, "documentation"),
    v4_range(v4(224, 0, 0, 0), 4, "multicast", false),
    v4_range(v4(240, 0, 0, 0), 4, "reserved or broadcast", false),

    v6_range(v6(0), 128, "unspecified", false),
    v6_range(v6(0, 0, 0, 1), 128, "loopback"),
    v6_range(v6(0), 96, "IPv4-compatible", false),
    // Whatever is behind the translator: its own loopback, for one.
    v6_range(v6(0x64, 0xff9b), 96, "NAT64"),
    v6_range(v6(0x64, 0xff9b, 1), 48, "NAT64"),
    v6_range(v6(0x2001), 23, "reserved or Teredo"),
    v6_range(v6(0x2001, 0xdb8), 32, "documentation"),
    v6_range(v6(0x2002), 16, "6to4"),
    v6_range(v6(0x3fff), 20, "documentation"),
    v6_range(v6(0xfd00, 0xec2, 0, 0x254), 128, "metadata service"),
    v6_range(v6(0xfd20, 0xce, 0, 0x254), 128, "metadata service"),
    v6_range(v6(0xfc00), 7, "private network"),
    v6_range(v6(0xfe80), 10, "link-local"),
    v6_range(v6(0xfec0), 10, "site-local"),
    v6_range(v6(0xff00), 8, "multicast", false),
};

constexpr SpecialRange kUnassigned = v6_range(v6(0), 0, "unassigned", false);
constexpr IpNetwork kGlobalV6{v6(0x2000), 3};

}  // namespace

bool IpAddress::is_v4() const {
  constexpr IpAddress kMapped = v4(0, 0, 0, 0);
  return std::equal(bytes.begin(), bytes.begin() + 12, kMapped.bytes.begin());
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof terminated) return std::nullopt;
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = '\0';
  if (std::strlen(terminated) != text.size()) return std::nullopt;

  // inet_pton takes leading zeros in some C libraries, and reads them in others as octal.
  for (std::size_t i = 0; i + 1 < text.size() && text.find(':') == text.npos; ++i) {
    const bool begins = i == 0 || text[i - 1] == '.';
    if (begins && text[i] == '0' && text[i + 1] != '.') return std::nullopt;
  }
  std::uint8_t four[4];
  if (::inet_pton(AF_INET, terminated, four) == 1) return v4(four[0], four[1], four[2], four[3]);
  IpAddress address;
  if (::inet_pton(AF_INET6, terminated, address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::optional<IpAddress> ip_of(const SocketAddress& address) {
  IpAddress found = v4(0, 0, 0, 0);
  if (address.storage.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address.storage);
    std::memcpy(found.bytes.data() + 12, &in.sin_addr, 4);
    return found;
  }
  if (address.storage.ss_family != AF_INET6) return std::nullopt;
  const auto& in = reinterpret_cast<const sockaddr_in6&>(address.storage);
  std::memcpy(found.bytes.data(), &in.sin6_addr, 16);
  return found;
}

SocketAddress socket_address(const IpAddress& address, std::uint16_t port) {
  SocketAddress made;
  if (address.is_v4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, address.bytes.data() + 12, 4);
    std::memcpy(&made.storage, &in, sizeof in);
    made.bytes = sizeof in;
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    std::memcpy(&in.sin6_addr, address.bytes.data(), 16);
    std::memcpy(&made.storage, &in, sizeof in);
    made.bytes = sizeof in;
  }
  return made;
}

std::string to_string(const IpAddress& address) { return socket_address(address, 0).host(); }

bool IpNetwork::contains(const IpAddress& address) const {
  const unsigned whole = prefix_bits / 8;
  if (!std::equal(base.bytes.begin(), base.bytes.begin() + whole, address.bytes.begin())) {
    return false;
  }
  const unsigned rest = prefix_bits % 8;
  if (rest == 0) return true;
  return ((base.bytes[whole] ^ address.bytes[whole]) >> (8 - rest)) == 0;
}

bool IpNetwork::contains(const IpNetwork& other) const {
  return prefix_bits <= other.prefix_bits && contains(other.base);
}

std::optional<IpNetwork> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view bits_text = text.substr(slash + 1);
  const std::string_view address_text = text.substr(0, slash);
  const std::optional<IpAddress> base = parse_ip(address_text);
  unsigned bits = 0;
  const auto parsed = std::from_chars(bits_text.data(), bits_text.data() + bits_text.size(), bits);
  if (!base || bits_text.empty() || parsed.ec != std::errc() ||
      parsed.ptr != bits_text.data() + bits_text.size()) {
    return std::nullopt;
  }
  // "::ffff:0:0/96" is written as one of IPv6, and counted so.
  const bool as_v4 = address_text.find(':') == std::string_view::npos;
  if (bits > (as_v4 ? 32U : 128U)) return std::nullopt;
  const IpNetwork network{*base, as_v4 ? kV4Prefix + bits : bits};
  for (unsigned bit = network.prefix_bits; bit < 128; ++bit) {
    if (((base->bytes[bit / 8] >> (7 - bit % 8)) & 1) != 0) return std::nullopt;
  }
  return network;
}

const SpecialRange* special_range_of(const IpAddress& address) {
  const SpecialRange* smallest = nullptr;
  for (const SpecialRange& range : kSpecial) {
    if (!range.network.contains(address)) continue;
    if (smallest == nullptr || smallest->network.prefix_bits < range.network.prefix_bits) {
      smallest = &range;
    }
  }
  if (smallest != nullptr || address.is_v4() || kGlobalV6.contains(address)) return smallest;
  return &kUnassigned;
}

}  // namespace nur
