// LEB128 of base/bytes.h, which every number of a module goes through (specification 5.2.2).
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "tests/compiler/wasm/module_builder.h"

namespace nur {
namespace {

using test::raw;

template <class T>
std::optional<T> decode(const std::string& bytes) {
  return ByteReader(bytes).leb128<T>();
}

std::string encode_signed(std::int64_t value) {
  std::string text;
  while (true) {
    const auto byte = static_cast<std::uint8_t>(value & 0x7f);
    value >>= 7;
    const bool sign = (byte & 0x40) != 0;
    if ((value == 0 && !sign) || (value == -1 && sign)) {
      text.push_back(static_cast<char>(byte));
      return text;
    }
    text.push_back(static_cast<char>(byte | 0x80));
  }
}

TEST(Leb128, ReadsEveryPowerOfTwoAndItsNeighbours) {
  for (int bit = 0; bit < 64; ++bit) {
    for (const std::int64_t off : {-1, 0, 1}) {
      const std::uint64_t value = (std::uint64_t{1} << bit) + static_cast<std::uint64_t>(off);
      EXPECT_EQ(decode<std::uint64_t>(test::leb(value)), value);
      EXPECT_EQ(decode<std::int64_t>(encode_signed(static_cast<std::int64_t>(value))),
                static_cast<std::int64_t>(value));
      const auto narrow = static_cast<std::uint32_t>(value);
      EXPECT_EQ(decode<std::uint32_t>(test::leb(narrow)), narrow);
      const auto narrow_signed = static_cast<std::int32_t>(narrow);
      EXPECT_EQ(decode<std::int32_t>(encode_signed(narrow_signed)), narrow_signed);
    }
  }
}

TEST(Leb128, ReadsTheExtremesOfSignedIntegers) {
  for (const std::int64_t value : {std::numeric_limits<std::int64_t>::min(),
                                   std::numeric_limits<std::int64_t>::max(), std::int64_t{-1}}) {
    EXPECT_EQ(decode<std::int64_t>(encode_signed(value)), value);
  }
  EXPECT_EQ(decode<std::int32_t>(raw({0x80, 0x80, 0x80, 0x80, 0x78})),
            std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(decode<std::int32_t>(raw({0xff, 0xff, 0xff, 0xff, 0x07})),
            std::numeric_limits<std::int32_t>::max());
}

TEST(Leb128, AcceptsPaddingUpToTheLongestEncoding) {
  EXPECT_EQ(decode<std::uint32_t>(raw({0x83, 0x80, 0x80, 0x80, 0x00})), 3U);
  EXPECT_EQ(decode<std::int32_t>(raw({0xff, 0xff, 0xff, 0xff, 0x7f})), -1);
  EXPECT_EQ(decode<std::int64_t>(raw({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})),
            -1);
}

TEST(Leb128, RefusesEncodingsThatAreTooLong) {
  EXPECT_EQ(decode<std::uint32_t>(raw({0x80, 0x80, 0x80, 0x80, 0x80, 0x00})), std::nullopt);
  EXPECT_EQ(decode<std::int32_t>(raw({0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})), std::nullopt);
  EXPECT_EQ(
      decode<std::int64_t>(raw({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00})),
      std::nullopt);
}

TEST(Leb128, RefusesUnusedBitsThatAreNotZeroOrTheSign) {
  for (int unused = 1; unused < 8; ++unused) {
    EXPECT_EQ(decode<std::uint32_t>(raw({0xff, 0xff, 0xff, 0xff, 0x0f | (unused << 4)})),
              std::nullopt);
  }
  EXPECT_EQ(decode<std::int32_t>(raw({0xff, 0xff, 0xff, 0xff, 0x0f})), std::nullopt);
  EXPECT_EQ(decode<std::int32_t>(raw({0xff, 0xff, 0xff, 0xff, 0x4f})), std::nullopt);
  EXPECT_EQ(decode<std::int32_t>(raw({0x80, 0x80, 0x80, 0x80, 0x70})), std::nullopt);
  EXPECT_EQ(decode<std::int64_t>(raw({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7e})),
            std::nullopt);
}

TEST(Leb128, LeavesTheCursorWhereItWasWhenItFails) {
  const std::string cut = raw({0x80, 0x80});
  ByteReader reader(cut, 10);

  EXPECT_EQ(reader.leb128<std::uint32_t>(), std::nullopt);

  EXPECT_EQ(reader.offset(), 10U);
  EXPECT_EQ(reader.remaining(), 2U);
}

}  // namespace
}  // namespace nur
