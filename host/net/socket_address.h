// An IP address and port, as configured and as the kernel has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <sys/socket.h>

#include "base/result.h"

namespace nur {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t bytes = 0;

  [[nodiscard]] std::string host() const;  // "127.0.0.1", "::1"
  [[nodiscard]] std::uint16_t port() const;
  // Any address of this machine: 0.0.0.0 or ::.
  [[nodiscard]] bool is_wildcard() const;
  // Of this machine alone: 127.0.0.0/8 or ::1.
  [[nodiscard]] bool is_loopback() const;
};

// "127.0.0.1:8080", "[::1]:8080". ":8080" and "8080" mean 127.0.0.1: nobody is served to the
// network without saying so. Port 0 lets the system choose. Names are not resolved, but for
// "localhost". Errors: invalid_input.
Result<SocketAddress> parse_address(std::string_view text);

// "127.0.0.1:8080", "[::1]:8080".
std::string to_string(const SocketAddress& address);

// Whom connections from an address are counted for: the address of IPv4, the network of 64 bits of
// IPv6, which is what one customer of a provider has at least.
struct ClientKey {
  bool v6 = false;
  std::uint64_t network = 0;
  friend bool operator==(const ClientKey&, const ClientKey&) = default;
};
ClientKey client_key(const SocketAddress& address);

struct ClientKeyHash {
  std::size_t operator()(const ClientKey& key) const {
    return std::hash<std::uint64_t>()(key.network);
  }
};

}  // namespace nur
