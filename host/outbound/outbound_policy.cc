#include "host/outbound/outbound_policy.h"

#include <algorithm>

#include "base/log.h"

namespace nur {
namespace {

constexpr std::uint16_t kMailPort = 25;

constexpr const char* kLoopback[] = {"127.0.0.0/8", "::1/128"};
constexpr const char* kPrivate[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"};

std::span<const char* const> networks_of_keyword(std::string_view word) {
  if (word == "loopback" || word == "localhost") return kLoopback;
  if (word == "private") return kPrivate;
  return {};
}

// Only where a range of the table has it whole; nothing is half loopback.
const SpecialRange* special_range_of(const IpNetwork& network) {
  const SpecialRange* const range = special_range_of(network.base);
  return range != nullptr && range->network.contains(network) ? range : nullptr;
}

}  // namespace

bool OutboundPolicy::PortRule::has(std::uint16_t asked) const {
  return port == 0 ? asked != kMailPort : port == asked;
}

bool OutboundPolicy::NameRule::has(const Target& target) const {
  if (!port.has(target.port)) return false;
  if (name.empty()) return true;
  if (target.literal) return false;
  if (!below) return target.host == name;
  return target.host.size() > name.size() + 1 && target.host.ends_with(name) &&
         target.host[target.host.size() - name.size() - 1] == '.';
}

bool OutboundPolicy::NetworkRule::has(const IpAddress& address, std::uint16_t asked) const {
  if (!port.has(asked) || !network.contains(address)) return false;
  const SpecialRange* const special = special_range_of(address);
  if (special == nullptr) return true;
  return special->can_be_named && special->network.contains(network);
}

bool OutboundPolicy::NetworkRule::has_own(const IpAddress& address, std::uint16_t asked) const {
  static const IpNetwork all_of_loopback = *parse_network(kLoopback[0]);
  if (network.contains(all_of_loopback) && special_range_of(network) != nullptr) {
    return port.has(asked);
  }
  return network.prefix_bits == 128 && has(address, asked);
}

bool OutboundPolicy::may_ask(const Target& target) const {
  return std::ranges::any_of(names_, [&](const NameRule& rule) { return rule.has(target); });
}

bool OutboundPolicy::permits(const Target& target, const IpAddress& address) const {
  // "This address" is not another one, whatever was found for it.
  if (target.literal && *target.literal != address) return false;
  const bool is_own = std::ranges::find(own_, address) != own_.end();
  for (const NetworkRule& rule : networks_) {
    if (is_own ? rule.has_own(address, target.port) : rule.has(address, target.port)) return true;
  }
  return !is_own && special_range_of(address) == nullptr && may_ask(target);
}

Result<OutboundPolicy> OutboundPolicy::parse(std::span<const std::string> rules,
                                             std::span<const IpAddress> own) {
  if (rules.size() > kOutboundRulesMax) {
    return fail(ErrorKind::limit_exceeded, "{} outbound rules, at most {} are taken", rules.size(),
                kOutboundRulesMax);
  }
  OutboundPolicy policy;
  policy.own_.assign(own.begin(), own.end());
  for (const std::string& rule : rules) {
    NUR_TRY(
        in_context(policy.add(rule), fmt::format("outbound rule \"{}\"", printable(rule, 200))));
  }
  return policy;
}

Result<OutboundPolicy::PortRule> OutboundPolicy::parse_port(std::string_view text) {
  if (text == "*") return PortRule{};
  const std::optional<std::uint16_t> port = parse_port_number(text);
  if (!port) {
    return fail(ErrorKind::invalid_input, "\"{}\" is no port; write 1 to 65535, or * for all",
                printable(text, 50));
  }
  return PortRule{*port};
}

Result<void> OutboundPolicy::add(std::string_view rule) {
  std::string_view host = rule;
  std::string_view port_text;
  for (const auto& [scheme, port] : {std::pair{"https://", "443"}, std::pair{"http://", "80"}}) {
    if (!host.starts_with(scheme)) continue;
    host.remove_prefix(std::string_view(scheme).size());
    if (host.ends_with('/')) host.remove_suffix(1);
    port_text = port;
  }
  const bool is_url = !port_text.empty();
  if (is_url && host.find_first_of("/?#@") != std::string_view::npos) {
    return fail(ErrorKind::invalid_input,
                "a rule opens a host, not paths or users of it; write {}HOST",
                rule.substr(0, rule.find("//") + 2));
  }

  if (host.find("://") != std::string_view::npos) {
    return fail(ErrorKind::invalid_input, "schemes are http and https; write HOST:PORT for others");
  }

  // The port is behind the last colon, unless that is inside of brackets.
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
    port_text = host.substr(colon + 1);
    host = host.substr(0, colon);
    if (host.find(':') != std::string_view::npos && !host.starts_with('[')) {
      return fail(ErrorKind::invalid_input,
                  "an address of IPv6 is written in brackets: [2001:db8::7]:443, [fd00::/8]:443");
    }
  }

  const std::span<const char* const> keyword = networks_of_keyword(host);
  if (!keyword.empty()) {
    const PortRule port = port_text.empty() ? PortRule{} : NUR_TRY(parse_port(port_text));
    for (const char* const network : keyword) networks_.push_back({*parse_network(network), port});
    return {};
  }
  if (port_text.empty()) {
    return fail(ErrorKind::invalid_input, "which port? write {}:443, or {}:* for every port",
                printable(host, 200), printable(host, 200));
  }
  const PortRule port = NUR_TRY(parse_port(port_text));
  if (host == "*") {
    names_.push_back({"", false, port});
    return {};
  }

  std::string_view bare = host;
  if (bare.starts_with('[') && bare.ends_with(']')) bare = bare.substr(1, bare.size() - 2);
  std::optional<IpNetwork> network;
  if (bare.find('/') != std::string_view::npos) {
    network = parse_network(bare);
    if (!network) {
      return fail(ErrorKind::invalid_input,
                  "\"{}\" is no network; write 10.0.0.0/8 or [fd00::/8], with zeros behind the "
                  "prefix",
                  printable(bare, 100));
    }
  } else if (const std::optional<IpAddress> address = parse_ip(bare)) {
    network = IpNetwork{*address, 128};
  }
  if (network) {
    const SpecialRange* const special = special_range_of(*network);
    if (special != nullptr && !special->can_be_named) {
      return fail(ErrorKind::invalid_input,
                  "{} ({}) is nothing to connect to; for every public host write *:{}",
                  printable(bare, 100), special->name, port_text);
    }
    networks_.push_back({*network, port});
    return {};
  }

  const bool below = host.starts_with("*.");
  const std::string_view name = below ? host.substr(2) : host;
  Result<Target> target = make_target(name, 1);
  if (!target || target->literal) {
    return fail(ErrorKind::invalid_input,
                "\"{}\" is no host; write a name, an address, a network, *, loopback or private",
                printable(host, 100));
  }
  names_.push_back({target->host, below, port});
  return {};
}

}  // namespace nur
