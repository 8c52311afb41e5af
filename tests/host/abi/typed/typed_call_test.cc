#include "host/abi/typed/typed_call.h"

#include <gtest/gtest.h>

#include "tests/support/guest.h"

namespace nur {
namespace {

using test::load_wat;
using test::run_guest;

constexpr std::string_view kNumbers = R"((module
  (func (export "i32") (param i32) (result i32) (local.get 0))
  (func (export "i64") (param i64) (result i64) (local.get 0))
  (func (export "f32") (param f32) (result f32) (local.get 0))
  (func (export "f64") (param f64) (result f64) (local.get 0))
  (func (export "swap") (param i32 f64) (result f64 i32) (local.get 1) (local.get 0))
  (func (export "five") (param i32 i32 i32 i32 i32) (result i64)
    (i64.extend_i32_s (i32.sub (i32.mul (local.get 0) (local.get 4)) (local.get 2))))
  (func (export "nothing"))
  (func (export "reference") (param externref))))";

class TypedCallTest : public ::testing::Test {
 protected:
  // Results joined by commas, or "error: ...".
  std::string call(std::string_view name, const std::vector<std::string>& arguments) {
    Result<TypedCall> call =
        TypedCall::prepare(*module_->manifest().find_function(name), arguments, nullptr);
    if (!call) return "error: " + call.error().message;
    EXPECT_EQ(run_guest(*instance_, *call).kind, Outcome::Kind::returned);
    std::string text;
    for (const std::string& result : call->results()) text += (text.empty() ? "" : ",") + result;
    return text;
  }

  std::unique_ptr<LoadedModule> module_ = load_wat(kNumbers);
  std::unique_ptr<Instance> instance_ = *Instance::create(*module_, SandboxLimits{});
};

TEST_F(TypedCallTest, CarriesIntegersOfBothSigns) {
  EXPECT_EQ(call("i32", {"7"}), "7");
  EXPECT_EQ(call("i32", {"-2147483648"}), "-2147483648");
  EXPECT_EQ(call("i32", {"4294967295"}), "-1");
  EXPECT_EQ(call("i32", {"0xff"}), "255");
  EXPECT_EQ(call("i64", {"-9223372036854775808"}), "-9223372036854775808");
  EXPECT_EQ(call("i64", {"18446744073709551615"}), "-1");
}

TEST_F(TypedCallTest, CarriesFloatsExactly) {
  EXPECT_EQ(call("f32", {"0.1"}), "0.1");
  EXPECT_EQ(call("f64", {"2.718281828459045"}), "2.718281828459045");
  EXPECT_EQ(call("f64", {"-inf"}), "-inf");
  EXPECT_EQ(call("f64", {"nan"}), "nan");
  EXPECT_EQ(call("f64", {"1e300"}), "1e+300");
}

TEST_F(TypedCallTest, TakesSeveralArgumentsAndGivesSeveralResults) {
  EXPECT_EQ(call("swap", {"3", "1.5"}), "1.5,3");
  EXPECT_EQ(call("five", {"6", "0", "2", "0", "7"}), "40");
  EXPECT_EQ(call("nothing", {}), "");
}

TEST_F(TypedCallTest, RefusesWhatIsNoNumberOfTheType) {
  for (const char* text :
       {"", "x", "1.5", "4294967296", "-2147483649", "0x100000000", "1 ", "--1"}) {
    EXPECT_EQ(call("i32", {text}),
              std::string("error: argument 1 of i32: \"") + text + "\" is no i32");
  }
  EXPECT_EQ(call("f64", {"1,5"}), "error: argument 1 of f64: \"1,5\" is no f64");
}

TEST_F(TypedCallTest, RefusesAnotherNumberOfArguments) {
  EXPECT_EQ(call("swap", {"1"}),
            "error: swap takes 2 argument(s) (i32, f64) -> (f64, i32), 1 given");
}

TEST_F(TypedCallTest, RefusesReferences) {
  EXPECT_EQ(call("reference", {"0"}).rfind("error: reference has the type (externref)", 0), 0U);
}

TEST(SplitArguments, TakesCommasAndDropsBlanks) {
  EXPECT_EQ(split_arguments("3, 4"), (std::vector<std::string>{"3", "4"}));
  EXPECT_EQ(split_arguments(""), std::vector<std::string>{});
  EXPECT_EQ(split_arguments(","), (std::vector<std::string>{"", ""}));
}

ManifestExport function(const char* name, std::vector<ValueType> parameters) {
  return {name, ExternalKind::function, {std::move(parameters), {}}, 0};
}

TEST(ChooseTypedExport, PrefersTheNameThenRunThenMainThenTheOnlyOne) {
  Manifest manifest;
  manifest.exports = {function("main", {}), function("run", {}), function("fib", {})};
  EXPECT_EQ(choose_typed_export(manifest, "fib")->name, "fib");
  EXPECT_EQ(choose_typed_export(manifest, "other")->name, "run");
  manifest.exports = {function("main", {}), function("x", {})};
  EXPECT_EQ(choose_typed_export(manifest, "other")->name, "main");
  manifest.exports = {function("only", {}), function("reference", {ValueType::externref})};
  EXPECT_EQ(choose_typed_export(manifest, "other")->name, "only");
}

TEST(ChooseTypedExport, LeavesOutWhatToolchainsAdd) {
  Manifest manifest;
  manifest.exports = {function("_initialize", {}), function("__wasm_call_ctors", {}),
                      function("fibonacci", {ValueType::i32})};
  EXPECT_EQ(choose_typed_export(manifest, "other")->name, "fibonacci");
  manifest.exports = {function("_initialize", {})};
  EXPECT_EQ(choose_typed_export(manifest, "other")->name, "_initialize");
}
TEST(TypedCall, SetsTheModuleUpFirst) {
  const std::unique_ptr<LoadedModule> module = load_wat(R"((module
    (global $ready (mut i32) (i32.const 0))
    (func (export "_initialize") (global.set $ready (i32.add (global.get $ready) (i32.const 1))))
    (func (export "times") (param i32) (result i32)
      (i32.mul (local.get 0) (global.get $ready)))))");
  const auto ask = [&](const char* name, const std::vector<std::string>& arguments) {
    const std::unique_ptr<Instance> instance = *Instance::create(*module, SandboxLimits{});
    TypedCall call =
        *TypedCall::prepare(*module->manifest().find_function(name), arguments, nullptr);
    call.initialize_by(module->manifest());
    EXPECT_EQ(run_guest(*instance, call).kind, Outcome::Kind::returned);
    return call.results();
  };
  EXPECT_EQ(ask("times", {"7"}), std::vector<std::string>{"7"});
  EXPECT_EQ(ask("_initialize", {}), std::vector<std::string>{});
}
TEST(ChooseTypedExport, ChoosesNoneAmongSeveral) {
  Manifest manifest;
  manifest.exports = {function("a", {}), function("b", {})};
  EXPECT_EQ(choose_typed_export(manifest, "other"), nullptr);
}

}  // namespace
}  // namespace nur
