// Characters of header names and values (RFC 9110 sections 5.1 and 5.5).
#pragma once

#include <algorithm>
#include <string_view>

namespace nur {

constexpr bool is_letter_or_digit(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9');
}

constexpr char upper_case(char character) {
  return character >= 'a' && character <= 'z' ? static_cast<char>(character - 'a' + 'A')
                                              : character;
}

constexpr bool same_header_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return upper_case(x) == upper_case(y); });
}

// token = 1*tchar
constexpr bool is_header_name(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char character) {
    return is_letter_or_digit(character) || kMarks.find(character) != std::string_view::npos;
  });
}

// Visible characters, spaces, tabs and bytes above 127; nothing that could end the line.
constexpr bool is_header_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char character) {
    const auto byte = static_cast<unsigned char>(character);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

constexpr std::string_view without_outer_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace nur
