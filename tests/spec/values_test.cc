// What counts as equal: the runner must not pass what the specification's tests refuse.
#include "tests/spec/values.h"

#include <gtest/gtest.h>

namespace nur::spec {
namespace {

nur_value bits32(std::uint32_t bits) { return {.i32 = bits}; }
nur_value bits64(std::uint64_t bits) { return {.i64 = bits}; }

TEST(SpecValue, ComparesNumbersByTheirBits) {
  const Literal minus_zero{ValueType::f32, LaneType::i32, {"2147483648"}};

  EXPECT_TRUE(matches(minus_zero, bits32(0x80000000)));
  EXPECT_FALSE(matches(minus_zero, bits32(0)));
}

TEST(SpecValue, TakesOnlyTheQuietBitForACanonicalNan) {
  const Literal canonical{ValueType::f32, LaneType::i32, {"nan:canonical"}};

  EXPECT_TRUE(matches(canonical, bits32(0x7fc00000)));
  EXPECT_TRUE(matches(canonical, bits32(0xffc00000)));
  EXPECT_FALSE(matches(canonical, bits32(0x7fc00001)));
  EXPECT_FALSE(matches(canonical, bits32(0x7f800001)));
  EXPECT_FALSE(matches(canonical, bits32(0x7f800000)));
}

TEST(SpecValue, TakesAnyQuietNanForAnArithmeticOne) {
  const Literal arithmetic{ValueType::f64, LaneType::i32, {"nan:arithmetic"}};

  EXPECT_TRUE(matches(arithmetic, bits64(0x7ff8000000000000)));
  EXPECT_TRUE(matches(arithmetic, bits64(0xfff8000000000001)));
  EXPECT_FALSE(matches(arithmetic, bits64(0x7ff0000000000001)));
  EXPECT_FALSE(matches(arithmetic, bits64(0x7ff0000000000000)));
}

TEST(SpecValue, ComparesEveryLaneOfAVector) {
  const Literal expected{ValueType::v128, LaneType::f64, {"nan:canonical", "1"}};
  nur_value actual = *value_of({ValueType::v128, LaneType::i64, {"9221120237041090560", "1"}});

  EXPECT_TRUE(matches(expected, actual));
  actual.v128[15] = 1;
  EXPECT_FALSE(matches(expected, actual));
}

TEST(SpecValue, TellsHostReferencesFromNull) {
  const Literal zero{ValueType::externref, LaneType::i32, {"0"}};
  const Literal null{ValueType::externref, LaneType::i32, {"null"}};

  EXPECT_TRUE(matches(zero, *value_of(zero)));
  EXPECT_TRUE(matches(null, *value_of(null)));
  EXPECT_FALSE(matches(null, *value_of(zero)));
  EXPECT_FALSE(matches(zero, *value_of(null)));
}

TEST(SpecValue, RefusesArgumentsThatAreNone) {
  EXPECT_FALSE(value_of({ValueType::f32, LaneType::i32, {"nan:canonical"}}));
  EXPECT_FALSE(value_of({ValueType::funcref, LaneType::i32, {"1"}}));
  EXPECT_FALSE(value_of({ValueType::v128, LaneType::i64, {"1", "2", "3"}}));
  EXPECT_FALSE(value_of({ValueType::i32, LaneType::i32, {}}));
}

}  // namespace
}  // namespace nur::spec
