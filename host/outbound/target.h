// Where a guest wants to connect to, as it says it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "host/outbound/ip_address.h"

namespace nur {

struct Target {
  std::string host;                  // in lower case, without a dot at the end
  std::optional<IpAddress> literal;  // when the host is written as an address
  std::uint16_t port = 0;
};

// "api.example.test:443", "192.0.2.1:80", "[2001:db8::1]:80". Errors: invalid_input.
Result<Target> parse_target(std::string_view text);

// The same of a host without a port, in which an address of IPv6 may lack its brackets.
// A name has letters, digits, hyphens and underscores between its dots; one that ends like a number
// (127.1, 0x7f000001) is none, because some resolvers make an address of it. Errors: invalid_input.
Result<Target> make_target(std::string_view host, std::uint16_t port);

// 1 to 65535.
std::optional<std::uint16_t> parse_port_number(std::string_view text);

}  // namespace nur
