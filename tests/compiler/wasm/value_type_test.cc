#include <gtest/gtest.h>

#include "base/manifest.h"

namespace nur {
namespace {

TEST(ValueTypeNames, ComeBackAsTheTypeTheyName) {
  for (const ValueType type : {ValueType::i32, ValueType::i64, ValueType::f32, ValueType::f64,
                               ValueType::v128, ValueType::funcref, ValueType::externref}) {
    EXPECT_EQ(value_type_from(to_string(type)), type);
  }
  EXPECT_EQ(value_type_from("i16"), std::nullopt);
}

TEST(GuestAbiNames, ComeBackAsTheAbiTheyName) {
  for (const GuestAbi abi : {GuestAbi::nur, GuestAbi::wasi, GuestAbi::handle, GuestAbi::typed}) {
    EXPECT_EQ(guest_abi_from(to_string(abi)), abi);
  }
  EXPECT_EQ(guest_abi_from("wasix"), std::nullopt);
}

TEST(FunctionTypeNames, LookLikeArrows) {
  const ValueType i32 = ValueType::i32;
  EXPECT_EQ(to_string(FunctionType{}), "() -> ()");
  EXPECT_EQ(to_string(FunctionType{{i32, ValueType::i64}, {i32}}), "(i32, i64) -> i32");
  EXPECT_EQ(to_string(FunctionType{{ValueType::v128}, {i32, ValueType::f64}}),
            "(v128) -> (i32, f64)");
}

TEST(ExternalKindNames, AreThoseOfTheSpecification) {
  EXPECT_EQ(to_string(ExternalKind::function), "function");
  EXPECT_EQ(to_string(ExternalKind::table), "table");
  EXPECT_EQ(to_string(ExternalKind::memory), "memory");
  EXPECT_EQ(to_string(ExternalKind::global), "global");
}

}  // namespace
}  // namespace nur
