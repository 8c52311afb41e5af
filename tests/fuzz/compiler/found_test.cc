// What fuzzing has found once.
#include <bit>

#include <gtest/gtest.h>

#include "tests/support/guest.h"

namespace nur::test {
namespace {

// gcc calls functions of <math.h> at -O0 alone, and there is no library to link.
TEST(Unoptimised, HasFloatInstructionsToo) {
  const std::unique_ptr<LoadedModule> module = load_wat(R"((module
    (func (export "f32.floor") (param f32) (result f32) (f32.floor (local.get 0)))
    (func (export "f32.ceil") (param f32) (result f32) (f32.ceil (local.get 0)))
    (func (export "f32.trunc") (param f32) (result f32) (f32.trunc (local.get 0)))
    (func (export "f32.nearest") (param f32) (result f32) (f32.nearest (local.get 0)))
    (func (export "f32.sqrt") (param f32) (result f32) (f32.sqrt (local.get 0)))
    (func (export "f32.copysign") (param f32 f32) (result f32)
      (f32.copysign (local.get 0) (local.get 1)))
    (func (export "f64.floor") (param f64) (result f64) (f64.floor (local.get 0)))
    (func (export "f64.ceil") (param f64) (result f64) (f64.ceil (local.get 0)))
    (func (export "f64.trunc") (param f64) (result f64) (f64.trunc (local.get 0)))
    (func (export "f64.nearest") (param f64) (result f64) (f64.nearest (local.get 0)))
    (func (export "f64.sqrt") (param f64) (result f64) (f64.sqrt (local.get 0)))
    (func (export "f64.copysign") (param f64 f64) (result f64)
      (f64.copysign (local.get 0) (local.get 1)))))",
                                                        {.optimisation = 0});
  const std::unique_ptr<Instance> instance = *Instance::create(*module, {});
  const auto bits = [&](std::string_view function, std::vector<std::uint64_t> arguments) {
    OneCall call(module->manifest(), function, std::move(arguments));
    EXPECT_EQ(run_guest(*instance, call).kind, Outcome::Kind::returned);
    EXPECT_TRUE(instance->reset());
    return call.result().i64;
  };
  const auto single = [&](std::string_view function, float x, float y = 0) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(
        bits(function, function.ends_with("copysign")
                           ? std::vector<std::uint64_t>{std::bit_cast<std::uint32_t>(x),
                                                        std::bit_cast<std::uint32_t>(y)}
                           : std::vector<std::uint64_t>{std::bit_cast<std::uint32_t>(x)})));
  };
  const auto twice = [&](std::string_view function, double x, double y = 0) {
    return std::bit_cast<double>(
        bits(function, function.ends_with("copysign")
                           ? std::vector<std::uint64_t>{std::bit_cast<std::uint64_t>(x),
                                                        std::bit_cast<std::uint64_t>(y)}
                           : std::vector<std::uint64_t>{std::bit_cast<std::uint64_t>(x)}));
  };

  EXPECT_EQ(single("f32.floor", -1.5F), -2.0F);
  EXPECT_EQ(single("f32.ceil", 1.5F), 2.0F);
  EXPECT_EQ(single("f32.trunc", -1.5F), -1.0F);
  EXPECT_EQ(single("f32.nearest", 2.5F), 2.0F);
  EXPECT_EQ(single("f32.sqrt", 2.25F), 1.5F);
  EXPECT_EQ(single("f32.copysign", 3.0F, -0.0F), -3.0F);
  EXPECT_EQ(twice("f64.floor", -1.5), -2.0);
  EXPECT_EQ(twice("f64.ceil", 1.5), 2.0);
  EXPECT_EQ(twice("f64.trunc", -1.5), -1.0);
  EXPECT_EQ(twice("f64.nearest", 3.5), 4.0);
  EXPECT_EQ(twice("f64.sqrt", 2.25), 1.5);
  EXPECT_EQ(twice("f64.copysign", -3.0, 0.0), 3.0);
}

// wasm2c declares the type of vectors in its header when an import, an export or a global has it.
TEST(SeveralResults, MayHoldAVectorThatNothingElseDeclares) {
  const std::unique_ptr<LoadedModule> module = load_wat(R"((module
    (func $pair (result i32 v128) (i32.const 3) (v128.const i32x4 4 5 6 7))
    (func (export "sum") (result i32) (local v128)
      (local.set 0 (call $pair))
      (i32.add (i32x4.extract_lane 2 (local.get 0))))))");
  const std::unique_ptr<Instance> instance = *Instance::create(*module, {});
  OneCall call(module->manifest(), "sum", {});

  EXPECT_EQ(run_guest(*instance, call).kind, Outcome::Kind::returned);
  EXPECT_EQ(call.result().i32, 9U);
}

// gcc calls the library's functions in what it takes for cold: here, what runs before a trap only.
TEST(ColdFunction, RoundsWithoutALibrary) {
  const std::unique_ptr<LoadedModule> module = load_wat(R"((module
    (memory (export "memory") 1)
    (func $cold (param f64) (result f64)
      (f64.store (i32.const 0) (f64.ceil (local.get 0)))
      (f64.store (i32.const 8) (f64.floor (local.get 0)))
      (f64.store (i32.const 16) (f64.trunc (local.get 0)))
      (f64.nearest (local.get 0)))
    (func (export "run") (param i32 f64) (result f64)
      (if (local.get 0)
        (then (f64.store (i32.const 24) (call $cold (call $cold (local.get 1)))) unreachable))
      (local.get 1))))");
  const std::unique_ptr<Instance> instance = *Instance::create(*module, {});
  OneCall call(module->manifest(), "run", {1, 0});

  EXPECT_EQ(run_guest(*instance, call).kind, Outcome::Kind::trapped);
}

// Two stores to one constant address, the second under a condition that depends on a load: a pass
// of gcc 12 died of what another had made of them (in ruby.wasm).
TEST(StoresToAConstantAddress, AreCompiled) {
  const std::unique_ptr<LoadedModule> module = load_wat(R"((module
    (memory (export "memory") 1)
    (func (export "larger") (param i32 i32) (result i32) (local $zero i32)
      (if (local.get 0)
        (then
          (if (i32.eqz (local.get $zero))
            (then
              (i32.store offset=8 (local.get $zero) (local.get 0))
              (local.set 1 (i32.load (local.get 1)))
              (if (i32.lt_u (local.get 0) (local.get 1))
                (then (i32.store offset=8 (local.get $zero) (local.get 1))))))
          (local.set 1 (i32.load offset=8 (local.get 1)))))
      (local.get 1))))");
  const std::unique_ptr<Instance> instance = *Instance::create(*module, {});
  OneCall call(module->manifest(), "larger", {3, 100});

  EXPECT_EQ(run_guest(*instance, call).kind, Outcome::Kind::returned);
  EXPECT_EQ(call.result().i32, 3U);
}

// The address is the result of a comparison: gcc took it for a pointer to nothing, and the store
// for one that nobody reads.
TEST(StoreToTheResultOfAComparison, IsDone) {
  const std::unique_ptr<LoadedModule> module = load_wat(R"((module
    (memory (export "memory") 1)
    (func $store (param f32) (i32.store8 (f32.eq (local.get 0) (f32.const 1)) (i32.const 236)))
    (func (export "run") (result i32)
      (call $store (f32.const 1)) (call $store (f32.const 2)) (i32.load16_u (i32.const 0)))
    (func (export "store") (param f32)
      (i32.store8 (f32.eq (local.get 0) (f32.const 1)) (i32.const 236)))
    (func (export "load") (result i32) (i32.load16_u (i32.const 0)))))");
  const std::unique_ptr<Instance> instance = *Instance::create(*module, {});
  OneCall run(module->manifest(), "run", {});
  EXPECT_EQ(run_guest(*instance, run).kind, Outcome::Kind::returned);
  EXPECT_EQ(run.result().i32, 236U | 236U << 8);
  ASSERT_TRUE(instance->reset());

  OneCall store(module->manifest(), "store", {std::bit_cast<std::uint32_t>(1.0F)});
  EXPECT_EQ(run_guest(*instance, store).kind, Outcome::Kind::returned);
  OneCall load(module->manifest(), "load", {});
  EXPECT_EQ(run_guest(*instance, load).kind, Outcome::Kind::returned);
  EXPECT_EQ(load.result().i32, 236U << 8);
}

// A rotation of 0 is 0 whatever the count, so gcc loaded the count only for other values.
TEST(LoadOfWhatMayNotMatter, Traps) {
  const std::unique_ptr<LoadedModule> module = load_wat(R"((module
    (memory (export "memory") 1)
    (func (export "run") (param i32) (result i32)
      (i32.clz (i32.rotl (local.get 0) (i32.load16_u offset=4 (i32.const -254)))))))");
  const std::unique_ptr<Instance> instance = *Instance::create(*module, {});
  for (const std::uint64_t value : {0, 1, 128}) {
    OneCall call(module->manifest(), "run", {value});
    EXPECT_EQ(run_guest(*instance, call).kind, Outcome::Kind::trapped) << value;
    ASSERT_TRUE(instance->reset());
  }
}

}  // namespace
}  // namespace nur::test
