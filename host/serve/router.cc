#include "host/serve/router.h"

namespace nur {
namespace {

// -1 for what is no hexadecimal digit.
int digit_of(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

// Takes "/segment" off the front of `path` and returns the segment.
std::optional<std::string_view> take_segment(std::string_view& path) {
  if (!path.starts_with('/')) return std::nullopt;
  const std::size_t end = std::min(path.find('/', 1), path.size());
  const std::string_view segment = path.substr(1, end - 1);
  path.remove_prefix(end);
  return segment;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
  if (text.find('%') == std::string_view::npos) return std::string(text);
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = digit_of(text[i + 1]);
    const int low = digit_of(text[i + 2]);
    if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::optional<Route> route_of(std::string_view path) {
  std::string_view rest = path;
  const std::optional<std::string_view> first = take_segment(rest);
  if (!first || first->empty()) return std::nullopt;

  Route route;
  std::string_view name = *first;
  if (name == "api" && !rest.empty()) {
    const std::optional<std::string_view> second = take_segment(rest);
    if (!second || second->empty()) return std::nullopt;
    name = *second;
    route.kind = Route::Kind::api;
    const std::optional<std::string> input = percent_decoded(rest.empty() ? rest : rest.substr(1));
    if (!input) return std::nullopt;
    route.input = *input;
  }
  route.script_name = std::string(path.substr(0, path.size() - rest.size()));
  const std::optional<std::string> decoded = percent_decoded(name);
  if (!decoded) return std::nullopt;
  route.name = *decoded;
  return route;
}

}  // namespace nur
