#include "compiler/wasm/text.h"

#include <cstddef>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>

namespace nur {
namespace {

constexpr std::size_t kPrintedBytesMax = 80;

}  // namespace

bool is_utf8(std::string_view bytes) {
  const auto byte_at = [&](std::size_t index) { return static_cast<std::uint8_t>(bytes[index]); };
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::uint8_t first = byte_at(at);
    if (first < 0x80) {
      ++at;
      continue;
    }
    // The range of the second byte excludes overlong forms, surrogates and what is past U+10FFFF.
    std::size_t length = 0;
    std::uint8_t second_min = 0x80;
    std::uint8_t second_max = 0xbf;
    if (first >= 0xc2 && first <= 0xdf) {
      length = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
      length = 3;
      if (first == 0xe0) second_min = 0xa0;
      if (first == 0xed) second_max = 0x9f;
    } else if (first >= 0xf0 && first <= 0xf4) {
      length = 4;
      if (first == 0xf0) second_min = 0x90;
      if (first == 0xf4) second_max = 0x8f;
    } else {
      return false;
    }
    if (bytes.size() - at < length) return false;
    if (byte_at(at + 1) < second_min || byte_at(at + 1) > second_max) return false;
    for (std::size_t index = 2; index < length; ++index) {
      if ((byte_at(at + index) & 0xc0) != 0x80) return false;
    }
    at += length;
  }
  return true;
}

std::string printable(std::string_view name) {
  std::string text;
  for (const char character : name.substr(0, kPrintedBytesMax)) {
    const auto byte = static_cast<std::uint8_t>(character);
    if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
      text.push_back(character);
    } else {
      fmt::format_to(std::back_inserter(text), "\\x{:02x}", byte);
    }
  }
  if (name.size() > kPrintedBytesMax) text += "...";
  return text;
}

}  // namespace nur
