#include "tests/fuzz/compiler/trial.h"

#include <csignal>
#include <cstdlib>

#include "tests/fuzz/compiler/fuzz_bench.h"
#include "tests/fuzz/compiler/native_run.h"

namespace nur::fuzz {
namespace {

using Kind = Verdict::Kind;

class Trial : public FuzzTest {
 protected:
  void TearDown() override { ::unsetenv(kPlantedDefectVariable); }
};

constexpr std::string_view kBitOfEverything = R"((module
  (type $unary (func (param i32) (result i32)))
  (import "fuzzing-support" "log-f32" (func $log_f32 (param f32)))
  (import "fuzzing-support" "log-v128" (func $log_v128 (param v128)))
  (import "elsewhere" "ask" (func $ask (param externref i64) (result f64 v128 funcref)))
  (memory (export "memory") 1 3)
  (data (i32.const 8) "abc")
  (table $table 3 4 funcref)
  (elem (i32.const 0) func $double $log_f32)
  (global $count (mut i32) (i32.const 10))
  (global $vector (mut v128) (v128.const i64x2 1 2))
  (global $half (mut f64) (f64.const 0.5))
  (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (func (export "hangLimitInitializer") (global.set $count (i32.const 10)))
  (func (export "divide") (param i32 i32) (result i32)
    (i32.div_s (local.get 0) (local.get 1)))
  (func (export "load") (param i32) (result i64) (i64.load (local.get 0)))
  (func (export "truncate") (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
  (func (export "indirect") (param i32) (result i32)
    (call_indirect (type $unary) (i32.const 5) (i32.and (local.get 0) (i32.const 3))))
  (func (export "grow") (result i32 i32) (memory.grow (i32.const 1)) (memory.size))
  (func (export "mixed") (param f32 f64 v128 externref funcref i64)
      (result funcref v128 f64 f32 externref i64)
    (call $log_f32 (f32.div (local.get 0) (f32.const 0)))
    (call $log_v128 (f64x2.sqrt (local.get 2)))
    (global.set $half (f64.sub (local.get 1) (local.get 1)))
    (call $ask (local.get 3) (local.get 5))
    (drop) (drop) (drop)
    (global.set $vector (local.get 2))
    (ref.func $double) (local.get 2) (local.get 1) (local.get 0) (local.get 3) (local.get 5))
  (func (export "spin")
    (loop $again
      (if (i32.eqz (global.get $count)) (then (return)))
      (global.set $count (i32.sub (global.get $count) (i32.const 1)))
      (br $again)))))";

TEST_F(Trial, AgreesOnEveryTypeAndTrap) {
  for (const bool canonical : {true, false}) {
    recipe_.canonical_nans = canonical;
    const Verdict verdict = try_bytes(assemble(kBitOfEverything));

    EXPECT_EQ(verdict.kind, Kind::agreed) << verdict.reason;
    EXPECT_GT(verdict.calls, 20U);
    EXPECT_GT(verdict.traps, 0U);
    EXPECT_EQ(verdict.incomparable, 0U);
  }
}

TEST_F(Trial, NeedsANodeThatWorks) {
  EXPECT_TRUE(check_v8({toolchain_, interrupt_, v8_, folder_.path()}));

  ::signal(SIGPIPE, SIG_IGN);
  V8Process broken({"/bin/false", "no-script"});
  const Result<void> checked = check_v8({toolchain_, interrupt_, broken, folder_.path()});

  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::internal);
}

TEST_F(Trial, FindsAPlantedDefect) {
  ::setenv(kPlantedDefectVariable, "1", 1);

  const Verdict verdict = try_bytes(assemble(kBitOfEverything));

  EXPECT_EQ(verdict.kind, Kind::finding);
  EXPECT_NE(verdict.reason.find("nur returned"), std::string::npos) << verdict.reason;
  EXPECT_NE(verdict.nur_transcript, verdict.v8_transcript);
}

TEST_F(Trial, GivesImportedStateToTheModule) {
  const Verdict verdict = try_bytes(assemble(R"((module
    (import "env" "memory" (memory 1))
    (import "env" "global" (global $g i32))
    (import "env" "table" (table 2 funcref))
    (func (export "sum") (result i32) (i32.add (global.get $g) (memory.size)))))"));

  EXPECT_EQ(verdict.kind, Kind::agreed) << verdict.reason;
}

TEST_F(Trial, RunsAStartFunctionForEveryInstance) {
  const Verdict verdict = try_bytes(assemble(R"((module
    (global $g (mut i32) (i32.const 0))
    (func $start (global.set $g (i32.const 7)))
    (start $start)
    (func (export "trap") unreachable)
    (func (export "get") (result i32) (global.get $g))))"));

  EXPECT_EQ(verdict.kind, Kind::agreed) << verdict.reason;
  EXPECT_GT(verdict.traps, 0U);
}

TEST_F(Trial, CountsAModuleThatV8Refuses) {
  // A function with a result and no value.
  const std::string_view bytes("\0asm\1\0\0\0\1\5\1\x60\0\1\x7f\3\2\1\0\7\5\1\1e\0\0\n\4\1\2\0\x0b",
                               32);

  const Verdict verdict = try_bytes(bytes);

  EXPECT_EQ(verdict.kind, Kind::refused_by_v8);
  EXPECT_NE(verdict.reason.find("Compiling function"), std::string::npos) << verdict.reason;
}

TEST_F(Trial, CountsAModuleOverALimitByItsReason) {
  // (func (export "e") (local i32 ...)), 10,001 of them.
  const std::string_view bytes(
      "\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\7\5\1\1e\0\0\n\7\1\5\1\x91\x4e\x7f\x0b", 34);

  const Verdict verdict = try_bytes(bytes);

  EXPECT_EQ(verdict.kind, Kind::refused_by_nurc);
  EXPECT_NE(verdict.reason.find("parameters and locals, the limit is #"), std::string::npos)
      << verdict.reason;
}

TEST_F(Trial, IsNotHeldUpByAModuleWithoutEnd) {
  const Verdict verdict =
      try_bytes(assemble("(module (func (export \"f\") (loop $again (br $again))))"));

  EXPECT_EQ(verdict.kind, Kind::agreed) << verdict.reason;
  EXPECT_EQ(verdict.incomparable, 1U);
  // The next one finds a living node.
  EXPECT_EQ(try_bytes(assemble(kBitOfEverything)).kind, Kind::agreed);
}

TEST_F(Trial, DoesNotCompareBehindAStackOverflow) {
  const Verdict verdict =
      try_bytes(assemble("(module (func $f (export \"f\") (result i32)"
                         " (i32.add (call $f) (i32.const 1))))"));

  EXPECT_EQ(verdict.kind, Kind::agreed) << verdict.reason;
  EXPECT_GT(verdict.incomparable, 0U);
}

}  // namespace
}  // namespace nur::fuzz
