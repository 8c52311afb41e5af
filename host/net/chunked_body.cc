#include "host/net/chunked_body.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include <fmt/format.h>

namespace nur {
namespace {

constexpr std::size_t kSizeDigitsMax = 16;

}  // namespace

void ChunkedBody::reset() {
  expecting_ = Expecting::size_line;
  data_left_ = decoded_bytes_ = trailer_bytes_ = trailer_fields_ = 0;
}

ChunkedBody::Progress ChunkedBody::refuse(int status, std::string_view detail) {
  refusal_ = {status, std::string(detail)};
  return {Step::refused, 0};
}

// Without its CRLF. False: refused.
bool ChunkedBody::read_size_line(std::string_view line, const HttpLimits& limits,
                                 std::size_t body_bytes_max) {
  const std::string_view digits = line.substr(0, line.find(';'));
  std::uint64_t size = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
  if (digits.empty() || digits.size() > kSizeDigitsMax || parsed.ec != std::errc() ||
      parsed.ptr != digits.data() + digits.size()) {
    refuse(400, "a chunk size is not a number of 1 to 16 hexadecimal digits");
    return false;
  }
  const std::string_view extension = line.substr(digits.size());
  if (extension.size() > limits.chunk_extension_bytes_max) {
    refuse(400, fmt::format("a chunk extension is longer than {} bytes",
                            limits.chunk_extension_bytes_max));
    return false;
  }
  if (!is_field_value(extension)) {
    refuse(400, "a chunk extension has a control character");
    return false;
  }
  if (size > body_bytes_max - decoded_bytes_) {
    refuse(413, fmt::format("the body is larger than {} bytes", body_bytes_max));
    return false;
  }
  data_left_ = size;
  expecting_ = size == 0 ? Expecting::trailer_line : Expecting::data;
  return true;
}

// Without its CRLF, not empty. False: refused.
bool ChunkedBody::read_trailer_line(std::string_view line, const HttpLimits& limits) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) ||
      !is_field_value(line.substr(colon + 1))) {
    refuse(400, "a trailer field is malformed");
    return false;
  }
  if (++trailer_fields_ > limits.headers_max) {
    refuse(431, fmt::format("more than {} trailer fields", limits.headers_max));
    return false;
  }
  return true;
}

ChunkedBody::Progress ChunkedBody::decode(std::string_view bytes, std::string& body,
                                          const HttpLimits& limits, std::size_t body_bytes_max) {
  std::size_t at = 0;
  while (true) {
    const std::string_view rest = bytes.substr(at);
    switch (expecting_) {
      case Expecting::data: {
        const std::size_t count = std::min(data_left_, rest.size());
        body.append(rest.substr(0, count));
        at += count;
        decoded_bytes_ += count;
        data_left_ -= count;
        if (data_left_ != 0) return {Step::need_more, at};
        expecting_ = Expecting::data_end;
        break;
      }
      case Expecting::data_end:
        if (!std::string_view("\r\n").starts_with(rest.substr(0, 2))) {
          return refuse(400, "a chunk is longer than its size");
        }
        if (rest.size() < 2) return {Step::need_more, at};
        at += 2;
        expecting_ = Expecting::size_line;
        break;
      case Expecting::size_line:
      case Expecting::trailer_line: {
        const bool is_trailer = expecting_ == Expecting::trailer_line;
        const std::size_t bytes_max = is_trailer
                                          ? limits.head_bytes_max - trailer_bytes_
                                          : kSizeDigitsMax + limits.chunk_extension_bytes_max + 2;
        const std::size_t line_feed = rest.find('\n');
        if (line_feed == std::string_view::npos && rest.size() < bytes_max) {
          return {Step::need_more, at};
        }
        if (is_trailer && std::min(line_feed, rest.size()) >= bytes_max) {
          return refuse(431, "the trailer is too large");
        }
        if (line_feed == std::string_view::npos) {
          return refuse(400, "the line of a chunk size is too long");
        }
        if (line_feed == 0 || rest[line_feed - 1] != '\r') {
          return refuse(400, "a line in a chunked body ends in a bare line feed");
        }
        const std::string_view line = rest.substr(0, line_feed - 1);
        at += line_feed + 1;
        if (is_trailer) {
          trailer_bytes_ += line_feed + 1;
          if (line.empty()) return {Step::complete, at};
          if (!read_trailer_line(line, limits)) return {Step::refused, 0};
        } else if (!read_size_line(line, limits, body_bytes_max)) {
          return {Step::refused, 0};
        }
        break;
      }
    }
  }
}

}  // namespace nur
