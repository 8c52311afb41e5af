#include "host/outbound/target.h"

#include <algorithm>
#include <charconv>

#include "base/log.h"

namespace nur {
namespace {

constexpr std::size_t kNameBytesMax = 253;
constexpr std::size_t kLabelBytesMax = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kLabelBytesMax) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(
      label, [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_'; });
}

// What inet_aton(3) and browsers take for a part of an address.
bool is_number(std::string_view label) {
  if (label.starts_with("0x")) {
    return std::ranges::all_of(label.substr(2),
                               [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
  }
  return std::ranges::all_of(label, is_digit);
}

bool is_name(std::string_view host) {
  if (host.empty() || host.size() > kNameBytesMax) return false;
  std::string_view label;
  for (std::string_view rest = host;;) {
    const std::size_t dot = rest.find('.');
    label = rest.substr(0, dot);
    if (!is_label(label)) return false;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  return !is_number(label);
}

}  // namespace

std::optional<std::uint16_t> parse_port_number(std::string_view text) {
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() ||
      port == 0) {
    return std::nullopt;
  }
  return port;
}

Result<Target> make_target(std::string_view host, std::uint16_t port) {
  Target target;
  target.port = port;
  std::string_view bare = host;
  const bool brackets = bare.starts_with('[') && bare.ends_with(']') && bare.size() > 2;
  if (brackets) bare = bare.substr(1, bare.size() - 2);
  target.literal = parse_ip(bare);
  if (brackets && bare.find(':') == std::string_view::npos) target.literal.reset();
  if (target.literal) {
    target.host = to_string(*target.literal);
    return target;
  }
  target.host.assign(host);
  std::ranges::transform(target.host, target.host.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  if (target.host.ends_with('.')) target.host.pop_back();
  if (!is_name(target.host)) {
    return fail(ErrorKind::invalid_input, "\"{}\" is no host", printable(host, 100));
  }
  return target;
}

Result<Target> parse_target(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::optional<std::uint16_t> port =
      colon == std::string_view::npos ? std::nullopt : parse_port_number(text.substr(colon + 1));
  // Without its brackets nobody knows where an address of IPv6 ends.
  const bool ambiguous =
      colon != std::string_view::npos && !text.starts_with('[') && text.find(':') != colon;
  if (!port || ambiguous) {
    return fail(ErrorKind::invalid_input,
                "\"{}\" is no target; write HOST:PORT, as api.example.test:443 or [::1]:8080",
                printable(text, 100));
  }
  return make_target(text.substr(0, colon), *port);
}

}  // namespace nur
