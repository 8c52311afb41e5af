#include "host/net/socket_address.h"

#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <optional>

namespace nur {
namespace {

const sockaddr_in& as_v4(const SocketAddress& address) {
  return reinterpret_cast<const sockaddr_in&>(address.storage);
}

const sockaddr_in6& as_v6(const SocketAddress& address) {
  return reinterpret_cast<const sockaddr_in6&>(address.storage);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return port;
}

}  // namespace

std::string SocketAddress::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &as_v4(*this).sin_addr, text, sizeof text);
  } else if (storage.ss_family == AF_INET6) {
    const sockaddr_in6& v6 = as_v6(*this);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      ::inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, sizeof text);
    } else {
      ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    }
  }
  return text;
}

std::uint16_t SocketAddress::port() const {
  if (storage.ss_family == AF_INET) return ntohs(as_v4(*this).sin_port);
  if (storage.ss_family == AF_INET6) return ntohs(as_v6(*this).sin6_port);
  return 0;
}

bool SocketAddress::is_wildcard() const {
  if (storage.ss_family == AF_INET) return as_v4(*this).sin_addr.s_addr == htonl(INADDR_ANY);
  if (storage.ss_family == AF_INET6) return IN6_IS_ADDR_UNSPECIFIED(&as_v6(*this).sin6_addr);
  return false;
}

bool SocketAddress::is_loopback() const {
  if (storage.ss_family == AF_INET) return ntohl(as_v4(*this).sin_addr.s_addr) >> 24 == 127;
  if (storage.ss_family == AF_INET6) return IN6_IS_ADDR_LOOPBACK(&as_v6(*this).sin6_addr);
  return false;
}

Result<SocketAddress> parse_address(std::string_view text) {
  const auto refuse = [&] {
    return fail(ErrorKind::invalid_input,
                "\"{}\" is no address; write 127.0.0.1:8080, [::1]:8080 or :8080", text);
  };
  const std::size_t colon = text.rfind(':');
  const bool port_only = colon == std::string_view::npos;
  const std::optional<std::uint16_t> port = parse_port(port_only ? text : text.substr(colon + 1));
  if (!port) return refuse();

  std::string host(port_only ? std::string_view() : text.substr(0, colon));
  if (host.empty() || host == "localhost") host = "127.0.0.1";

  SocketAddress address;
  if (host.front() == '[' && host.back() == ']') {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(*port);
    const std::string inside = host.substr(1, host.size() - 2);
    if (::inet_pton(AF_INET6, inside.c_str(), &v6.sin6_addr) != 1) return refuse();
    std::memcpy(&address.storage, &v6, sizeof v6);
    address.bytes = sizeof v6;
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(*port);
    if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) != 1) return refuse();
    std::memcpy(&address.storage, &v4, sizeof v4);
    address.bytes = sizeof v4;
  }
  return address;
}

ClientKey client_key(const SocketAddress& address) {
  if (address.storage.ss_family == AF_INET) return {false, as_v4(address).sin_addr.s_addr};
  if (address.storage.ss_family != AF_INET6) return {};
  const in6_addr& v6 = as_v6(address).sin6_addr;
  std::uint32_t v4 = 0;
  std::uint64_t network = 0;
  std::memcpy(&v4, &v6.s6_addr[12], sizeof v4);
  std::memcpy(&network, &v6.s6_addr[0], sizeof network);
  return IN6_IS_ADDR_V4MAPPED(&v6) ? ClientKey{false, v4} : ClientKey{true, network};
}

std::string to_string(const SocketAddress& address) {
  const bool brackets = address.host().find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", brackets ? "[" : "", address.host(), brackets ? "]" : "",
                     address.port());
}

}  // namespace nur
