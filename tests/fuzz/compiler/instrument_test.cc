#include "tests/fuzz/compiler/instrument.h"

#include "tests/fuzz/compiler/fuzz_bench.h"
#include "tests/fuzz/compiler/plan.h"

namespace nur::fuzz {
namespace {

// Modules as V8 runs them when they are instrumented for it.
class InstrumentedModule : public FuzzTest {
 protected:
  // What V8 did when it called the first export with `arguments`.
  std::string call(std::string_view wat, std::vector<nur_value> arguments,
                   const Instrumentation& how) {
    const std::string bytes = assemble(wat);
    const WasmModule module = *read_module(bytes);
    CallPlan plan = make_plan(module, Random(1, 1));
    plan.groups = {{{0, std::move(arguments)}}};
    const Result<std::string> instrumented = instrument(module, how);
    if (!instrumented) return instrumented.error().message;
    const Path file = folder_.path() / "instrumented.wasm";
    EXPECT_TRUE(write_file(file, *instrumented));
    return v8_.ask(to_json_line(plan, file.string())).value_or("no answer");
  }
};

nur_value bits32(std::uint32_t bits) { return {.i32 = bits}; }
nur_value bits64(std::uint64_t bits) { return {.i64 = bits}; }

TEST_F(InstrumentedModule, PassesEveryBitThroughJavaScript) {
  const std::string said = call(R"((module
      (import "a" "b" (func $log (param f32 f64 externref v128)))
      (func (export "same") (param f32 f64 v128 externref) (result externref v128 f64 f32)
        (call $log (local.get 0) (local.get 1) (local.get 3) (local.get 2))
        (local.get 3) (local.get 2) (local.get 1) (local.get 0))))",
                                {bits32(0x7f800001),
                                 bits64(0xfff0000000000001),
                                 {.v128 = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
                                 bits64(1)},
                                {true, 10, true});

  const std::string vector = "v100f0e0d0c0b0a090807060504030201";
  EXPECT_NE(said.find("log 0 f7f800001 Ffff0000000000001 r0 " + vector), std::string::npos) << said;
  EXPECT_NE(said.find("return r0 " + vector + " Ffff0000000000001 f7f800001"), std::string::npos)
      << said;
}

TEST_F(InstrumentedModule, MakesOneNanOfAllThatArithmeticMakes) {
  const std::string said = call(R"((module
      (func (export "nans") (param f32 f64) (result i32 i64 v128 v128 i32)
        (i32.reinterpret_f32 (f32.div (local.get 0) (local.get 0)))
        (i64.reinterpret_f64 (f64.promote_f32 (f32.add (local.get 0) (f32.const -nan:0x200001))))
        (f32x4.mul (f32x4.splat (local.get 0)) (v128.const f32x4 nan:0x200002 inf 1 -nan))
        (f64x2.sqrt (v128.const f64x2 -1 -nan:0x8000000000003))
        (i32.reinterpret_f32 (f32.neg (f32.const nan:0x200001))))))",
                                {bits32(0), bits64(0)}, {true, 10, true});

  EXPECT_NE(said.find("return i7fc00000 I7ff8000000000000 v7fc00000000000007fc000007fc00000 "
                      "v7ff80000000000007ff8000000000000 iffa00001"),
            std::string::npos)
      << said;
}

TEST_F(InstrumentedModule, HasTheHangLimitThatIsAskedFor) {
  const std::string said = call(R"((module
      (global $limit (mut i32) (i32.const 10))
      (func (export "get") (result i32) (global.get $limit))
      (func (export "hangLimitInitializer") (global.set $limit (i32.const 10)))))",
                                {}, {true, 77, true});

  EXPECT_NE(said.find("return i0000004d\n"), std::string::npos) << said;
}

TEST_F(InstrumentedModule, CallsImportsThroughTablesAndReferences) {
  const std::string said = call(R"((module
      (type $log (func (param v128)))
      (import "a" "b" (func $log (param v128)))
      (table 2 funcref)
      (elem (i32.const 0) func $log)
      (global $reference funcref (ref.func $log))
      (func (export "f")
        (call_indirect (type $log) (v128.const i64x2 1 2) (i32.const 0))
        (table.set (i32.const 1) (global.get $reference))
        (call_indirect (type $log) (v128.const i64x2 3 4) (i32.const 1)))))",
                                {}, {true, 10, true});

  EXPECT_NE(said.find("log 0 v00000000000000020000000000000001\n"
                      "log 0 v00000000000000040000000000000003\nreturn"),
            std::string::npos)
      << said;
}

TEST(Instrument, RefusesImportedState) {
  // (import "a" "b" (memory 1))
  const std::string_view bytes("\0asm\1\0\0\0\2\10\1\1a\1b\2\0\1", 18);
  const WasmModule module = *read_module(bytes);

  EXPECT_FALSE(instrument(module, {}));
}

}  // namespace
}  // namespace nur::fuzz
