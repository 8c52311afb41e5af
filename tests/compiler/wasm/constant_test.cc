#include "compiler/wasm/constant.h"

#include <string>

#include <gtest/gtest.h>

#include "compiler/wasm/wasm_module.h"
#include "tests/compiler/wasm/expect_refusal.h"
#include "tests/compiler/wasm/module_builder.h"

namespace nur {
namespace {

using test::expect_malformed;
using test::ModuleBuilder;
using test::raw;

constexpr char kFuncref = 0x70;
constexpr char kExternref = 0x6f;

// Global 0 is an imported immutable i32, global 1 an imported mutable one; the expression
// initialises global 2. Function 0 exists.
std::string module_with_constant(char type, const std::string& expression) {
  ModuleBuilder builder;
  builder.function(builder.type("", ""), raw({0x0b}));
  builder.import("m", "a", raw({3, test::kI32, 0})).import("m", "b", raw({3, test::kI32, 1}));
  builder.global(std::string(1, type) + raw({0}) + expression + raw({0x0b}));
  return builder.bytes();
}

std::optional<Constant> evaluate(char type, const std::string& expression) {
  const std::string bytes = module_with_constant(type, expression);
  const Result<WasmModule> module = read_module(bytes);
  if (!module) {
    ADD_FAILURE() << module.error().message;
    return std::nullopt;
  }
  return module->globals[2].initializer->value;
}

TEST(Constant, EvaluatesEachKindOfValue) {
  EXPECT_EQ(evaluate(test::kI32, raw({0x41, 0x7f})), (Constant{ValueType::i32, 0xffffffff}));
  EXPECT_EQ(evaluate(test::kI64, raw({0x42, 0x7f})), (Constant{ValueType::i64, ~0ULL}));
  EXPECT_EQ(evaluate(test::kF32, raw({0x43, 0, 0, 0x80, 0x3f})),
            (Constant{ValueType::f32, 0x3f800000}));
  EXPECT_EQ(evaluate(test::kF64, raw({0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f})),
            (Constant{ValueType::f64, 0x3ff0000000000000}));
  EXPECT_EQ(
      evaluate(test::kV128, raw({0xfd, 0x0c, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0})),
      (Constant{ValueType::v128, 1, 2}));
  EXPECT_EQ(evaluate(kFuncref, raw({0xd0, 0x70})), (Constant{ValueType::funcref, kNullReference}));
  EXPECT_EQ(evaluate(kExternref, raw({0xd0, 0x6f})),
            (Constant{ValueType::externref, kNullReference}));
  EXPECT_EQ(evaluate(kFuncref, raw({0xd2, 0})), (Constant{ValueType::funcref, 0}));
}

TEST(Constant, ComputesModuloTheWidthOfItsType) {
  // 3 - 5, 2^31 * 2 + 1, 2^63 + 2^63.
  EXPECT_EQ(evaluate(test::kI32, raw({0x41, 3, 0x41, 5, 0x6b})),
            (Constant{ValueType::i32, 0xfffffffe}));
  EXPECT_EQ(
      evaluate(test::kI32, raw({0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x41, 2, 0x6c, 0x41, 1, 0x6a})),
      (Constant{ValueType::i32, 1}));
  const std::string minimum =
      raw({0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f});
  EXPECT_EQ(evaluate(test::kI64, minimum + minimum + raw({0x7c})), (Constant{ValueType::i64, 0}));
  EXPECT_EQ(evaluate(test::kI64, raw({0x42, 3, 0x42, 5, 0x7d})),
            (Constant{ValueType::i64, ~0ULL - 1}));
  EXPECT_EQ(evaluate(test::kI64, raw({0x42, 3, 0x42, 5, 0x7e})), (Constant{ValueType::i64, 15}));
}

TEST(Constant, HasNoValueWhenItDependsOnAnImportedGlobal) {
  EXPECT_EQ(evaluate(test::kI32, raw({0x23, 0})), std::nullopt);
  EXPECT_EQ(evaluate(test::kI32, raw({0x41, 1, 0x23, 0, 0x6a})), std::nullopt);
  EXPECT_EQ(evaluate(test::kI32, raw({0x23, 0, 0x41, 1, 0x6c})), std::nullopt);
}

TEST(Constant, IsRefusedWhenNotConstant) {
  expect_malformed(module_with_constant(test::kI32, raw({0x41, 0, 0x45})),
                   "at offset 0x2a: global section: opcode 0x45 is not allowed in a constant "
                   "expression");
  expect_malformed(module_with_constant(test::kV128, raw({0xfd, 0x51})),
                   "at offset 0x28: global section: opcode 0xfd 0x51 is not allowed in a constant "
                   "expression");
}

TEST(Constant, IsRefusedWhenOfAnotherType) {
  expect_malformed(
      module_with_constant(test::kI64, raw({0x41, 0})),
      "at offset 0x28: global section: a constant expression is of type i32, expected i64");
  expect_malformed(module_with_constant(test::kI64, raw({0x41, 0, 0x41, 0, 0x7c})),
                   "at offset 0x2c: global section: an operation on i64 lacks its two operands");
}

TEST(Constant, IsRefusedUnlessItLeavesOneValue) {
  expect_malformed(
      module_with_constant(test::kI32, ""),
      "at offset 0x28: global section: a constant expression leaves 0 values, expected one");
  expect_malformed(
      module_with_constant(test::kI32, raw({0x41, 0, 0x41, 0})),
      "at offset 0x28: global section: a constant expression leaves 2 values, expected one");
  expect_malformed(module_with_constant(test::kI32, raw({0x41, 0, 0x6a})),
                   "at offset 0x2a: global section: an operation on i32 lacks its two operands");
}

TEST(Constant, IsRefusedWhenItReadsAGlobalItMustNot) {
  expect_malformed(
      module_with_constant(test::kI32, raw({0x23, 1})),
      "at offset 0x28: global section: a constant expression reads global 1, which is mutable");
  expect_malformed(module_with_constant(test::kI32, raw({0x23, 2})),
                   "at offset 0x29: global section: global index 2 is out of range, there are 2");
  const std::string own = raw({test::kI32, 0, 0x41, 0, 0x0b});
  expect_malformed(
      ModuleBuilder().global(own).global(raw({test::kI32, 0, 0x23, 0, 0x0b})).bytes(),
      "at offset 0x12: global section: a constant expression reads global 0, which is not "
      "imported");
}

TEST(Constant, IsRefusedWhenItsFunctionDoesNotExist) {
  expect_malformed(module_with_constant(kFuncref, raw({0xd2, 1})),
                   "at offset 0x29: global section: function index 1 is out of range, there are 1");
}

TEST(Constant, IsRefusedWhenItHasNoEnd) {
  expect_malformed(test::module_of({test::section(6, test::vec({raw({test::kI32, 0, 0x41, 0})}))}),
                   "at offset 0xf: global section: ends where end of the constant expression is "
                   "expected");
}

}  // namespace
}  // namespace nur
