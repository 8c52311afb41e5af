// Reading little-endian integers and LEB128 from bytes that nobody has checked yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

namespace nur {

// A cursor over bytes; every read either succeeds whole or leaves the cursor where it was.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes, std::size_t origin = 0)
      : bytes_(bytes), origin_(origin) {}

  // Position of the cursor in the outermost file, for error messages.
  [[nodiscard]] std::size_t offset() const { return origin_ + at_; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - at_; }
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }

  template <class T>
  requires std::is_trivially_copyable_v<T> std::optional<T> little_endian() {
    if (remaining() < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  std::optional<std::uint8_t> byte() { return little_endian<std::uint8_t>(); }

  std::optional<std::string_view> take(std::size_t count) {
    if (remaining() < count) return std::nullopt;
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }

  // LEB128 as WebAssembly has it (spec 5.2.2): at most ceil(N/7) bytes, unused bits of the last
  // one zero (unsigned) or equal to the sign (signed).
  template <class T>
  requires std::is_integral_v<T> std::optional<T> leb128() {
    constexpr unsigned kBits = sizeof(T) * 8;
    const std::size_t start = at_;
    std::make_unsigned_t<T> value = 0;
    for (unsigned shift = 0; shift < kBits; shift += 7) {
      const std::optional<std::uint8_t> next = byte();
      if (!next) break;
      const unsigned left = kBits - shift;
      const std::uint8_t payload = *next & 0x7f;
      value |= static_cast<std::make_unsigned_t<T>>(payload) << shift;
      if (*next & 0x80) continue;
      if (left < 7) {
        const auto unused = static_cast<std::uint8_t>(payload >> left);
        const auto all_ones = static_cast<std::uint8_t>(0x7f >> left);
        const bool negative = std::is_signed_v<T> && ((payload >> (left - 1)) & 1) != 0;
        if (unused != (negative ? all_ones : 0)) break;
      } else if (std::is_signed_v<T> && (payload & 0x40) && left > 7) {
        value |= ~std::make_unsigned_t<T>{0} << (shift + 7);
      }
      return static_cast<T>(value);
    }
    at_ = start;
    return std::nullopt;
  }

 private:
  std::string_view bytes_;
  std::size_t origin_;
  std::size_t at_ = 0;
};

}  // namespace nur
