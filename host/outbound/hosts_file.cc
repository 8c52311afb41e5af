#include "host/outbound/hosts_file.h"

#include <algorithm>

#include "host/outbound/target.h"

namespace nur {
namespace {

// Lists that block advertisements have a hundred thousand lines of 0.0.0.0.
constexpr std::size_t kNamesMax = 500'000;
constexpr std::size_t kAddressesMax = 16;
constexpr std::size_t kFileBytesMax = std::size_t{16} << 20;
constexpr std::string_view kBlanks = " \t\r";

std::string_view next_word(std::string_view& rest) {
  const std::size_t begin = std::min(rest.find_first_not_of(kBlanks), rest.size());
  const std::size_t end = std::min(rest.find_first_of(kBlanks, begin), rest.size());
  const std::string_view word = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return word;
}

}  // namespace

HostsFile HostsFile::parse(std::string_view text) {
  HostsFile hosts;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    line = line.substr(0, line.find('#'));
    const std::optional<IpAddress> address = parse_ip(next_word(line));
    if (!address) continue;
    while (true) {
      const std::string_view word = next_word(line);
      if (word.empty()) break;
      const Result<Target> target = make_target(word, 1);
      if (!target || target->literal || hosts.names_.size() >= kNamesMax) continue;
      std::vector<IpAddress>& addresses = hosts.names_[target->host];
      if (addresses.size() < kAddressesMax &&
          std::ranges::find(addresses, *address) == addresses.end()) {
        addresses.push_back(*address);
      }
    }
  }
  std::vector<IpAddress>& localhost = hosts.names_["localhost"];
  if (localhost.empty()) localhost = {*parse_ip("127.0.0.1"), *parse_ip("::1")};
  return hosts;
}

HostsFile HostsFile::read(const Path& path) {
  const Result<std::string> text = read_file(path, kFileBytesMax);
  return parse(text ? std::string_view(*text) : std::string_view());
}

std::vector<IpAddress> HostsFile::find(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? std::vector<IpAddress>() : found->second;
}

}  // namespace nur
