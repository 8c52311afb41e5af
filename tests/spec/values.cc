#include "tests/spec/values.h"

#include <charconv>
#include <cstring>

#include <fmt/ranges.h>

namespace nur::spec {
namespace {

std::optional<std::uint64_t> number_from(std::string_view text) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

std::size_t bytes_of(LaneType lane) {
  switch (lane) {
    case LaneType::i8:
      return 1;
    case LaneType::i16:
      return 2;
    case LaneType::i32:
    case LaneType::f32:
      return 4;
    case LaneType::i64:
    case LaneType::f64:
      return 8;
  }
  return 0;
}

LaneType lane_of(const Literal& literal) {
  switch (literal.type) {
    case ValueType::i32:
      return LaneType::i32;
    case ValueType::i64:
      return LaneType::i64;
    case ValueType::f32:
      return LaneType::f32;
    case ValueType::f64:
      return LaneType::f64;
    default:
      return literal.lane;
  }
}

bool lane_matches(LaneType lane, std::string_view expected, std::uint64_t bits) {
  constexpr std::uint64_t kQuietNan32 = 0x7fc00000;
  constexpr std::uint64_t kQuietNan64 = 0x7ff8000000000000;
  const std::uint64_t quiet = lane == LaneType::f32 ? kQuietNan32 : kQuietNan64;
  const std::uint64_t sign = lane == LaneType::f32 ? 0x80000000 : 0x8000000000000000;
  if (expected == "nan:canonical") return (bits & ~sign) == quiet;
  if (expected == "nan:arithmetic") return (bits & quiet) == quiet;
  return number_from(expected) == bits;
}

bool is_reference(ValueType type) {
  return type == ValueType::funcref || type == ValueType::externref;
}

}  // namespace

Result<nur_value> value_of(const Literal& literal) {
  nur_value value{};
  const auto unusable = [&] {
    return fail(ErrorKind::invalid_input, "{} is no argument", to_string(literal));
  };
  if (is_reference(literal.type)) {
    if (literal.texts.size() != 1) return unusable();
    if (literal.texts[0] == "null") return value;
    const auto number = number_from(literal.texts[0]);
    if (!number || literal.type == ValueType::funcref) return unusable();
    value.i64 = *number + 1;
    return value;
  }
  const std::size_t lane_bytes = bytes_of(lane_of(literal));
  if (literal.texts.empty() || literal.texts.size() * lane_bytes > sizeof value.v128) {
    return unusable();
  }
  std::size_t at = 0;
  for (const std::string& text : literal.texts) {
    const auto number = number_from(text);
    if (!number) return unusable();
    std::memcpy(value.v128 + at, &*number, lane_bytes);
    at += lane_bytes;
  }
  return value;
}

bool matches(const Literal& expected, const nur_value& actual) {
  if (is_reference(expected.type)) {
    if (expected.texts.empty()) return actual.reference != nullptr;
    const Result<nur_value> value = value_of(expected);
    return value && value->reference == actual.reference;
  }
  const LaneType lane = lane_of(expected);
  const std::size_t lane_bytes = bytes_of(lane);
  const std::size_t lanes = expected.type == ValueType::v128 ? sizeof actual.v128 / lane_bytes : 1;
  if (expected.texts.size() != lanes) return false;
  for (std::size_t i = 0; i < lanes; ++i) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, actual.v128 + i * lane_bytes, lane_bytes);
    if (!lane_matches(lane, expected.texts[i], bits)) return false;
  }
  return true;
}

std::string to_string(ValueType type, const nur_value& value) {
  switch (type) {
    case ValueType::i32:
    case ValueType::f32:
      return fmt::format("{} {}", to_string(type), value.i32);
    case ValueType::i64:
    case ValueType::f64:
    case ValueType::funcref:
    case ValueType::externref:
      return fmt::format("{} {}", to_string(type), value.i64);
    case ValueType::v128:
      break;
  }
  return fmt::format("v128 {:02x}", fmt::join(value.v128, " "));
}

std::string to_string(const Literal& literal) {
  return fmt::format("{} {}", to_string(literal.type), fmt::join(literal.texts, " "));
}

}  // namespace nur::spec
