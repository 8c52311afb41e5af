#include "host/net/http_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

#include <fmt/format.h>

#include "host/net/llhttp_head.h"

namespace nur {
namespace {

constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";

constexpr std::array<bool, 256> kTokenBytes = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (const char c : kTokenMarks) table[static_cast<std::uint8_t>(c)] = true;
  return table;
}();

bool is_token_byte(char c) { return kTokenBytes[static_cast<std::uint8_t>(c)]; }

// Bytes of a request line besides its target: the longest method has 11, two spaces, "HTTP/1.1" and
// CRLF have 12; the rest is slack for methods that are not known.
constexpr std::size_t kLineBesidesTarget = 64;

// No control characters, blanks, bytes above ASCII, and no fragment.
constexpr std::array<bool, 256> kTargetBytes = [] {
  std::array<bool, 256> table{};
  for (int c = '!'; c <= '~'; ++c) table[static_cast<std::size_t>(c)] = c != '#';
  return table;
}();

// Digits of a Content-Length; no count of that many overflows 64 bits.
constexpr std::size_t kLengthDigitsMax = 18;

// Not CONNECT, which asks for a tunnel, PRI, which begins HTTP/2, nor SOURCE, which is another
// protocol's.
bool is_known_method(std::string_view method) {
  return method != "CONNECT" && method != "PRI" && method != "SOURCE" &&
         is_method_of_llhttp(method);
}

std::string_view first_line(std::string_view head) { return head.substr(0, head.find('\n') - 1); }

// "HTTP/1.1" -> 1. Refused with 505 when it is a version, with 400 when it is none.
std::optional<Refusal> read_version(std::string_view text, int& minor) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() != 8 || !text.starts_with("HTTP/") || !is_digit(text[5]) || text[6] != '.' ||
      !is_digit(text[7])) {
    return Refusal{400, "the first line has no HTTP version"};
  }
  if (text[5] != '1' || text[7] > '1') {
    return Refusal{505, fmt::format("{} is not spoken here", text)};
  }
  minor = text[7] - '0';
  return std::nullopt;
}

std::optional<Refusal> check_fields(std::string_view head, HeadView& view) {
  for (FieldView& field : view.fields) {
    const char* const behind = field.name.data() + field.name.size();
    if (!is_token(field.name) || behind == head.data() + head.size() || *behind != ':') {
      return Refusal{400,
                     "a header name is empty, has a character no name may have, or is not "
                     "followed by its colon"};
    }
    field.value = trim_blanks(field.value);
    if (!is_field_value(field.value)) {
      return Refusal{400,
                     fmt::format("the value of header {} has a control character", field.name)};
    }
  }
  return std::nullopt;
}

// The fields line by line, of a head that llhttp has refused half-way.
void split_fields(std::string_view head, HeadView& view) {
  view.fields.clear();
  head.remove_prefix(first_line(head).size() + 2);
  while (true) {
    const std::string_view line = first_line(head);
    if (line.empty()) break;
    view.fields.push_back({line.substr(0, line.find(':')), {}});
    if (view.fields.back().name.size() < line.size()) {
      view.fields.back().value = trim_blanks(line.substr(view.fields.back().name.size() + 1));
    }
    head.remove_prefix(line.size() + 2);
  }
}

// What is wrong with the fields of a head that was read, or, if llhttp refused it, with the head:
// said by our own rules as far as they go.
std::optional<Refusal> judge_fields(std::string_view head,
                                    const std::optional<std::string>& refused, HeadView& view) {
  if (!refused) return check_fields(head, view);
  split_fields(head, view);
  if (std::optional<Refusal> wrong = check_fields(head, view)) return wrong;
  Framing framing;
  if (std::optional<Refusal> wrong = read_framing(view, framing)) return wrong;
  return Refusal{400, fmt::format("malformed headers: {}", *refused)};
}

// Whether a head names transfer codings none of which is malformed, at least one unknown: then it
// is not wrong but asks for something nobody does here.
bool asks_for_unknown_coding(const HeadView& view) {
  bool unknown = false;
  for (const FieldView& field : view.fields) {
    if (!equal_ignoring_case(field.name, "transfer-encoding")) continue;
    std::string_view rest = field.value;
    while (true) {
      const std::size_t comma = rest.find(',');
      const std::string_view coding = trim_blanks(rest.substr(0, comma));
      if (!is_token(coding)) return false;
      unknown = unknown || !equal_ignoring_case(coding, "chunked");
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return unknown;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_byte);
}

bool is_field_value(std::string_view text) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  // Eight bytes at a time, as long as none of them is below 0x20 or 0x7f: a difference that borrows
  // sets the high bit of a byte that had none. It may set that of the byte above, too.
  while (text.size() >= sizeof(std::uint64_t)) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data(), sizeof bytes);
    const std::uint64_t deletes = bytes ^ (kEach * 0x7f);
    const std::uint64_t found = ((bytes - kEach * 0x20) & ~bytes) | ((deletes - kEach) & ~deletes);
    if ((found & (kEach * 0x80)) != 0) break;
    text.remove_prefix(sizeof bytes);
  }
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
  });
}

std::string_view trim_blanks(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool list_contains(std::string_view list, std::string_view member) {
  while (true) {
    const std::size_t comma = list.find(',');
    if (equal_ignoring_case(trim_blanks(list.substr(0, comma)), member)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

void HeadScanner::reset() { line_begin_ = searched_ = lines_ = 0; }

HeadScanner::Found HeadScanner::refuse(int status, std::string_view detail) {
  refusal_ = {status, std::string(detail)};
  return Found::refused;
}

HeadScanner::Found HeadScanner::scan(std::string_view bytes, const HttpLimits& limits,
                                     bool request) {
  const auto target_too_long = [&](std::string_view line) {
    return request && line.size() > limits.target_bytes_max + kLineBesidesTarget;
  };
  if (!bytes.empty() && lines_ == 0 && !is_token_byte(bytes.front())) {
    return refuse(400, "this is no HTTP");
  }
  while (true) {
    const std::string_view unsearched = bytes.substr(searched_);
    const void* found = std::memchr(unsearched.data(), '\n', unsearched.size());
    const std::size_t line_end =
        found == nullptr ? bytes.size()
                         : static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    std::string_view line = bytes.substr(line_begin_, line_end - line_begin_);
    searched_ = line_end;

    if (lines_ == 0 && target_too_long(line)) {
      return line.substr(0, kLineBesidesTarget).find(' ') != std::string_view::npos
                 ? refuse(414, "the target is too long")
                 : refuse(400, "the method is too long");
    }
    if (line_end + (found != nullptr ? 1 : 0) > limits.head_bytes_max) {
      return refuse(431, fmt::format("the head is larger than {} bytes", limits.head_bytes_max));
    }
    if (found == nullptr) return Found::nothing_yet;

    if (line.empty() || line.back() != '\r') return refuse(400, "a line ends in a bare line feed");
    line.remove_suffix(1);
    line_begin_ = searched_ = line_end + 1;
    if (line.empty()) return Found::whole_head;

    if (line.front() == ' ' || line.front() == '\t') return refuse(400, "a folded header line");
    // The first line is none of them.
    if (lines_++ > limits.headers_max) {
      return refuse(431, fmt::format("more than {} headers", limits.headers_max));
    }
  }
}

std::optional<Refusal> read_request_head(std::string_view head, HeadView& view) {
  const std::string_view line = first_line(head);
  const std::size_t method_end = line.find(' ');
  const std::size_t target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || target_end == method_end) {
    return Refusal{400, "the request line is not METHOD TARGET VERSION"};
  }
  view.method = line.substr(0, method_end);
  if (!is_token(view.method)) return Refusal{400, "the method has a character no method may have"};
  if (auto wrong = read_version(line.substr(target_end + 1), view.version_minor)) return wrong;

  const std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  const bool printable = std::ranges::all_of(
      target, [](char c) { return kTargetBytes[static_cast<std::uint8_t>(c)]; });
  if (target.empty() || !printable) {
    return Refusal{400, "the target has a character no target may have"};
  }
  if (!is_known_method(view.method)) {
    return Refusal{501, fmt::format("method {} is not implemented", view.method)};
  }
  const std::optional<std::string> refused = read_request_with_llhttp(head, view);
  if (auto wrong = judge_fields(head, refused, view)) return wrong;
  if (view.target != target) return Refusal{400, "the request line is ambiguous"};
  return std::nullopt;
}

std::optional<Refusal> read_response_head(std::string_view head, HeadView& view) {
  const std::string_view line = first_line(head);
  if (auto wrong = read_version(line.substr(0, line.find(' ')), view.version_minor)) return wrong;
  if (!is_field_value(line)) return Refusal{400, "the status line has a control character"};
  const std::string_view code = line.substr(std::min<std::size_t>(line.size(), 9), 3);
  int status = 0;
  const auto parsed = std::from_chars(code.data(), code.data() + code.size(), status);
  if (parsed.ptr != code.data() + code.size() || status < 100 ||
      (line.size() > 12 && line[12] != ' ')) {
    return Refusal{400, "the status line has no status of three digits"};
  }
  const std::optional<std::string> refused = read_response_with_llhttp(head, view);
  if (auto wrong = judge_fields(head, refused, view)) return wrong;
  // llhttp takes a status of any number of digits.
  view.status = status;
  return std::nullopt;
}

std::optional<Refusal> read_framing(const HeadView& view, Framing& framing) {
  const FieldView* coding = nullptr;
  const FieldView* length = nullptr;
  std::size_t codings = 0;
  std::size_t lengths = 0;
  for (const FieldView& field : view.fields) {
    if (field.name.size() == 17 && equal_ignoring_case(field.name, "transfer-encoding")) {
      coding = &field;
      ++codings;
    } else if (field.name.size() == 14 && equal_ignoring_case(field.name, "content-length")) {
      length = &field;
      ++lengths;
    }
  }
  if (codings != 0 && lengths != 0) {
    return Refusal{400, "both Transfer-Encoding and Content-Length"};
  }
  if (codings != 0) {
    if (asks_for_unknown_coding(view)) {
      return Refusal{501, "a transfer coding other than chunked is not implemented"};
    }
    if (codings > 1 || !equal_ignoring_case(coding->value, "chunked")) {
      return Refusal{400, "Transfer-Encoding is not \"chunked\""};
    }
    if (view.version_minor == 0) return Refusal{400, "Transfer-Encoding in HTTP/1.0"};
    framing.chunked = true;
  }
  if (lengths > 1) return Refusal{400, "more than one Content-Length"};
  if (lengths == 1) {
    const std::string_view digits = length->value;
    std::uint64_t value = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || digits.size() > kLengthDigitsMax || parsed.ec != std::errc() ||
        parsed.ptr != digits.data() + digits.size()) {
      return Refusal{400, "Content-Length is not a number of 1 to 18 digits"};
    }
    framing.has_length = true;
    framing.length = value;
  }
  return std::nullopt;
}

}  // namespace nur
