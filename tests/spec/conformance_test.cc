// What the specification's tests have found once, held where those tests are not at hand.
#include <bit>

#include <gtest/gtest.h>

#include "tests/support/guest.h"

namespace nur::test {
namespace {

constexpr std::uint32_t kMinusZero32 = 0x80000000;
constexpr std::uint64_t kMinusZero64 = 0x8000000000000000;

class VectorMinMax : public ::testing::Test {
 protected:
  // The bits of one lane of `function` of two vectors of equal lanes.
  std::uint64_t lane(std::string_view function, std::uint64_t left, std::uint64_t right) {
    OneCall call(module_->manifest(), function, {left, right});
    const Outcome outcome = run_guest(*instance_, call);
    EXPECT_EQ(outcome.kind, Outcome::Kind::returned);
    EXPECT_TRUE(instance_->reset());
    return call.result().i64;
  }

  std::unique_ptr<LoadedModule> module_ = load_wat(R"((module
    (func (export "f32x4.min") (param i32 i32) (result i32) (i32x4.extract_lane 3
      (f32x4.min (i32x4.splat (local.get 0)) (i32x4.splat (local.get 1)))))
    (func (export "f32x4.max") (param i32 i32) (result i32) (i32x4.extract_lane 3
      (f32x4.max (i32x4.splat (local.get 0)) (i32x4.splat (local.get 1)))))
    (func (export "f64x2.min") (param i64 i64) (result i64) (i64x2.extract_lane 1
      (f64x2.min (i64x2.splat (local.get 0)) (i64x2.splat (local.get 1)))))
    (func (export "f64x2.max") (param i64 i64) (result i64) (i64x2.extract_lane 1
      (f64x2.max (i64x2.splat (local.get 0)) (i64x2.splat (local.get 1)))))))");
  std::unique_ptr<Instance> instance_ = *Instance::create(*module_, {});
};

TEST_F(VectorMinMax, TakesTheSignOfZerosIntoAccountInEitherOrder) {
  EXPECT_EQ(lane("f32x4.min", 0, kMinusZero32), kMinusZero32);
  EXPECT_EQ(lane("f32x4.min", kMinusZero32, 0), kMinusZero32);
  EXPECT_EQ(lane("f32x4.max", 0, kMinusZero32), 0U);
  EXPECT_EQ(lane("f32x4.max", kMinusZero32, 0), 0U);
  EXPECT_EQ(lane("f64x2.min", 0, kMinusZero64), kMinusZero64);
  EXPECT_EQ(lane("f64x2.min", kMinusZero64, 0), kMinusZero64);
  EXPECT_EQ(lane("f64x2.max", 0, kMinusZero64), 0U);
  EXPECT_EQ(lane("f64x2.max", kMinusZero64, 0), 0U);
}

TEST_F(VectorMinMax, OrdersNumbers) {
  const auto one = std::bit_cast<std::uint64_t>(1.0);
  const auto minus_two = std::bit_cast<std::uint64_t>(-2.0);
  EXPECT_EQ(lane("f64x2.min", one, minus_two), minus_two);
  EXPECT_EQ(lane("f64x2.max", one, minus_two), one);
  const auto one_single = std::bit_cast<std::uint32_t>(1.0F);
  const auto minus_two_single = std::bit_cast<std::uint32_t>(-2.0F);
  EXPECT_EQ(lane("f32x4.min", one_single, minus_two_single), minus_two_single);
  EXPECT_EQ(lane("f32x4.max", one_single, minus_two_single), one_single);
}

TEST_F(VectorMinMax, IsACanonicalNanWhenEitherIsNan) {
  constexpr std::uint32_t kNan32 = 0x7fc00000;
  constexpr std::uint64_t kNan64 = 0x7ff8000000000000;
  for (const char* const function : {"f32x4.min", "f32x4.max"}) {
    EXPECT_EQ(lane(function, 0xffc00001, 0), kNan32);
    EXPECT_EQ(lane(function, 0, 0x7f800001), kNan32);
  }
  for (const char* const function : {"f64x2.min", "f64x2.max"}) {
    EXPECT_EQ(lane(function, 0xfff8000000000001, 0), kNan64);
    EXPECT_EQ(lane(function, 0, 0x7ff0000000000001), kNan64);
  }
}

TEST(VectorQ15Product, SaturatesForMinusOneSquaredAlone) {
  const std::unique_ptr<LoadedModule> module = load_wat(R"((module
    (func (export "q15mulr_sat") (param i32 i32) (result i32) (i16x8.extract_lane_s 5
      (i16x8.q15mulr_sat_s (i16x8.splat (local.get 0)) (i16x8.splat (local.get 1)))))))");
  const std::unique_ptr<Instance> instance = *Instance::create(*module, {});
  const auto product = [&](std::int16_t left, std::int16_t right) {
    OneCall call(module->manifest(), "q15mulr_sat",
                 {static_cast<std::uint32_t>(left), static_cast<std::uint32_t>(right)});
    EXPECT_EQ(run_guest(*instance, call).kind, Outcome::Kind::returned);
    EXPECT_TRUE(instance->reset());
    return static_cast<std::int32_t>(call.result().i32);
  };

  EXPECT_EQ(product(-32768, -32768), 32767);
  EXPECT_EQ(product(-32768, -32767), 32767);
  EXPECT_EQ(product(-32768, 32767), -32767);
  EXPECT_EQ(product(32767, 32767), 32766);
  EXPECT_EQ(product(16384, 1), 1);
  EXPECT_EQ(product(16383, 1), 0);
  EXPECT_EQ(product(-16385, 1), -1);
}

}  // namespace
}  // namespace nur::test
