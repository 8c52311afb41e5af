// Guests that are switched out again and again end with what they would have ended with anyway.
#include "host/sandbox/switch_out.h"

#include <thread>
#include <xmmintrin.h>

#include <gtest/gtest.h>

#include "tests/support/guest.h"

namespace nur {
namespace {

using std::chrono::microseconds;
using test::load_wat;
using test::OneCall;
using test::run_guest;

constexpr Milliseconds kLong(600'000);

// Each export takes a number of rounds, and returns 64 bits that depend on every step. Long
// dependent chains keep their state in registers across the whole loop.
constexpr std::string_view kWork = R"((module
  (import "nur" "nur_end" (func $host))
  (memory (export "memory") 16)
  (table $t 8 funcref)
  (elem (i32.const 0) $f0 $f1 $f2 $f3 $f0 $f2 $f1 $f3)
  (type $unary (func (param i64) (result i64)))
  (global $g (mut i64) (i64.const 1))
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "poll_stream") (param i32 i32))

  (func $f0 (param i64) (result i64) (i64.mul (local.get 0) (i64.const 6364136223846793005)))
  (func $f1 (param i64) (result i64) (i64.add (local.get 0) (i64.const 1442695040888963407)))
  (func $f2 (param i64) (result i64) (i64.xor (local.get 0) (i64.shr_u (local.get 0) (i64.const 29))))
  (func $f3 (param i64) (result i64) (i64.rotl (local.get 0) (i64.const 23)))

  (func (export "integers") (param $n i32) (result i64)
    (local $a i64) (local $b i64) (local $c i64) (local $d i64) (local $e i64) (local $f i64)
    (local $g i64) (local $h i64) (local $i i64) (local $j i64) (local $k i64) (local $l i64)
    (local.set $a (i64.const 1)) (local.set $b (i64.const 2)) (local.set $c (i64.const 3))
    (local.set $d (i64.const 5)) (local.set $e (i64.const 7)) (local.set $f (i64.const 11))
    (loop $next
      (local.set $a (i64.add (local.get $a) (i64.rotl (local.get $l) (i64.const 7))))
      (local.set $b (i64.xor (local.get $b) (i64.mul (local.get $a) (i64.const 0x9e3779b97f4a7c15))))
      (local.set $c (i64.sub (local.get $c) (i64.shr_u (local.get $b) (i64.const 3))))
      (local.set $d (i64.add (local.get $d) (i64.and (local.get $c) (local.get $a))))
      (local.set $e (i64.xor (local.get $e) (i64.rotr (local.get $d) (i64.const 13))))
      (local.set $f (i64.add (local.get $f) (i64.or (local.get $e) (local.get $b))))
      (local.set $g (i64.sub (local.get $g) (local.get $f)))
      (local.set $h (i64.xor (local.get $h) (i64.shl (local.get $g) (i64.const 5))))
      (local.set $i (i64.add (local.get $i) (local.get $h)))
      (local.set $j (i64.xor (local.get $j) (i64.rotl (local.get $i) (i64.const 31))))
      (local.set $k (i64.add (local.get $k) (i64.mul (local.get $j) (local.get $j))))
      (local.set $l (i64.xor (local.get $l) (local.get $k)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.add (i64.add (i64.xor (local.get $a) (local.get $b)) (i64.xor (local.get $c) (local.get $d)))
             (i64.add (i64.xor (local.get $g) (local.get $h)) (i64.xor (local.get $k) (local.get $l)))))

  ;; 128-bit sums by carry, and comparisons whose outcome is used late.
  (func (export "carries") (param $n i32) (result i64)
    (local $low i64) (local $high i64) (local $step i64) (local $less i32) (local $times i64)
    (local.set $step (i64.const 0xfedcba9876543211))
    (loop $next
      (local.set $low (i64.add (local.get $low) (local.get $step)))
      (local.set $less (i64.lt_u (local.get $low) (local.get $step)))
      (local.set $high (i64.add (i64.add (local.get $high) (i64.const 3)) (i64.extend_i32_u (local.get $less))))
      (local.set $step (i64.add (local.get $step) (select (i64.const 977) (i64.const -31) (local.get $less))))
      (local.set $times (i64.add (local.get $times) (i64.extend_i32_u
        (i32.and (i64.gt_s (local.get $low) (local.get $high)) (i64.ne (local.get $step) (local.get $low))))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.xor (i64.xor (local.get $low) (local.get $high)) (i64.rotl (local.get $times) (i64.const 17))))

  (func (export "floats") (param $n i32) (result i64)
    (local $a f64) (local $b f64) (local $c f64) (local $d f64) (local $x f32) (local $y f32)
    (local.set $a (f64.const 1.1)) (local.set $b (f64.const 0.7)) (local.set $c (f64.const -3.3))
    (local.set $d (f64.const 0.01)) (local.set $x (f32.const 2.5)) (local.set $y (f32.const 0.3))
    (loop $next
      (local.set $a (f64.sqrt (f64.add (f64.mul (local.get $a) (local.get $b)) (f64.const 1.25))))
      (local.set $b (f64.sub (local.get $c) (f64.mul (local.get $a) (f64.const 0.3))))
      (local.set $c (f64.div (f64.add (local.get $b) (f64.const 2.0)) (f64.add (f64.abs (local.get $a)) (f64.const 0.5))))
      (local.set $d (f64.add (local.get $d) (f64.promote_f32 (local.get $x))))
      (local.set $x (f32.sub (f32.const 3.7) (f32.mul (local.get $x) (local.get $y))))
      (local.set $y (f32.demote_f64 (f64.mul (local.get $c) (f64.const 0.1))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.xor (i64.xor (i64.reinterpret_f64 (local.get $a)) (i64.reinterpret_f64 (local.get $b)))
             (i64.xor (i64.reinterpret_f64 (local.get $d)) (i64.extend_i32_u (i32.reinterpret_f32 (local.get $x))))))

  (func (export "vectors") (param $n i32) (result i64)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $e v128) (local $f v128)
    (local.set $a (v128.const i64x2 1 2)) (local.set $b (v128.const i32x4 3 4 5 6))
    (local.set $c (v128.const f64x2 1.5 -0.25)) (local.set $d (v128.const i16x8 1 2 3 4 5 6 7 8))
    (local.set $e (v128.const f32x4 1 2 3 4))
    (loop $next
      (local.set $a (i64x2.add (local.get $a) (i64x2.shl (local.get $b) (i32.const 3))))
      (local.set $b (v128.xor (local.get $b) (i32x4.mul (local.get $a) (local.get $d))))
      (local.set $c (f64x2.sub (v128.const f64x2 0.9 1.1) (f64x2.mul (local.get $c) (v128.const f64x2 0.99 0.37))))
      (local.set $d (i16x8.add (local.get $d) (i16x8.shr_u (local.get $a) (i32.const 2))))
      (local.set $e (f32x4.sub (v128.const f32x4 3 2 1 0) (f32x4.mul (local.get $e) (v128.const f32x4 0.5 0.25 0.125 0.75))))
      (local.set $f (v128.xor (local.get $f) (i8x16.shuffle 15 0 14 1 13 2 12 3 11 4 10 5 9 6 8 7 (local.get $d) (local.get $e))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.set $a (v128.xor (v128.xor (local.get $a) (local.get $b)) (v128.xor (local.get $c) (v128.xor (local.get $d) (local.get $f)))))
    (i64.xor (i64x2.extract_lane 0 (local.get $a)) (i64x2.extract_lane 1 (local.get $a))))

  ;; Four rows at once, which -O3 with AVX makes vectors of 32 bytes of.
  (func (export "memory_sums") (param $n i32) (result i64) (local $i i32) (local $s i64)
    (loop $again
      (local.set $i (i32.const 0))
      (loop $next
        (f64.store (local.get $i) (f64.add (f64.mul (f64.load offset=65536 (local.get $i)) (f64.const 0.5))
                                           (f64.add (f64.load (local.get $i)) (f64.const 1))))
        (f64.store offset=65536 (local.get $i) (f64.mul (f64.load (local.get $i)) (f64.const 0.25)))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.const 8192))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.set $i (i32.const 0))
    (loop $next
      (local.set $s (i64.add (i64.mul (local.get $s) (i64.const 31)) (i64.load (local.get $i))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.const 8192))))
    (local.get $s))

  (func (export "tables") (param $n i32) (result i64) (local $x i64)
    (local.set $x (i64.const 88172645463325252))
    (loop $next
      (local.set $x (call_indirect $t (type $unary) (local.get $x) (i32.and (local.get $n) (i32.const 7))))
      (global.set $g (i64.add (global.get $g) (local.get $x)))
      (table.set $t (i32.and (i32.wrap_i64 (local.get $x)) (i32.const 3))
        (table.get $t (i32.and (local.get $n) (i32.const 7))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.xor (global.get $g) (local.get $x)))

  ;; Frames whose locals are live across the calls.
  (func $fib (param i32) (result i64)
    (if (result i64) (i32.lt_u (local.get 0) (i32.const 2)) (then (i64.extend_i32_u (local.get 0)))
      (else (i64.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                     (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func (export "calls") (param $n i32) (result i64) (local $s i64)
    (loop $next
      (local.set $s (i64.add (i64.mul (local.get $s) (i64.const 31))
                             (call $fib (i32.and (local.get $n) (i32.const 15)))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $s))

  (func (export "host_calls") (param $n i32) (result i64) (local $x i64)
    (loop $next
      (local.set $x (i64.add (i64.mul (local.get $x) (i64.const 31)) (i64.const 7)))
      (call $host)
      (memory.fill (i32.const 1024) (local.get $n) (i32.const 4096))
      (memory.copy (i32.const 8192) (i32.const 1024) (i32.const 4096))
      (local.set $x (i64.add (local.get $x) (i64.load (i32.const 12000))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x))
))";

HostReply nothing(void*, const GuestMemory&, nur_value*) { return HostReply::resume(); }

struct Work {
  const char* name;
  std::uint64_t rounds;
};
constexpr Work kAll[] = {{"integers", 10'000'000}, {"carries", 20'000'000},  {"floats", 2'000'000},
                         {"vectors", 10'000'000},  {"memory_sums", 100'000}, {"tables", 5'000'000},
                         {"calls", 200'000},       {"host_calls", 200'000}};

struct Made {
  std::uint64_t result = 0;
  std::size_t switched_out = 0;
};

Made work(const LoadedModule& module, const Work& work, Nanoseconds quantum) {
  const auto instance = *Instance::create(module, SandboxLimits{});
  const std::vector<HostFunction> functions{nothing};
  OneCall call(module.manifest(), work.name, {work.rounds});
  Made made;
  const Outcome outcome = run_guest(*instance, call, functions, kLong, quantum, &made.switched_out);
  EXPECT_EQ(outcome.kind, Outcome::Kind::returned) << work.name;
  made.result = call.result().i64;
  return made;
}

struct Way {
  std::string name;
  int optimisation;
  CpuLevel cpu;
  VectorSave save;

  friend void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }
};

class SwitchedOut : public ::testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    test::trap_guard();
    if (!has_vector_save(GetParam().save))
      GTEST_SKIP() << "this processor has no " << GetParam().name;
    if (GetParam().cpu == CpuLevel::v3 && !__builtin_cpu_supports("avx2")) {
      GTEST_SKIP() << "this processor has no AVX2";
    }
    TrapGuard::save_vectors_with(GetParam().save);
  }
  void TearDown() override { TrapGuard::save_vectors_with(best_vector_save()); }
};

TEST_P(SwitchedOut, EndsWithTheSameResult) {
  BuildOptions build;
  build.optimisation = GetParam().optimisation;
  build.target_cpu = GetParam().cpu;
  const auto module = load_wat(kWork, build);
  for (const Work& each : kAll) {
    const Made whole = work(*module, each, Nanoseconds::max());
    const Made cut = work(*module, each, microseconds(50));
    EXPECT_EQ(whole.switched_out, 0U) << each.name;
    EXPECT_GT(cut.switched_out, 5U) << each.name;
    EXPECT_EQ(cut.result, whole.result) << each.name << ", switched out " << cut.switched_out;
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, SwitchedOut,
                         ::testing::Values(Way{"o2", 2, CpuLevel::v2, VectorSave::xsavec},
                                           Way{"o3_v3", 3, CpuLevel::v3, VectorSave::xsavec},
                                           Way{"o3_v3_xsave", 3, CpuLevel::v3, VectorSave::xsave},
                                           Way{"o1_fxsave", 1, CpuLevel::v2, VectorSave::fxsave}),
                         [](const auto& tested) { return tested.param.name; });

// Guests that a test stops and continues itself.
constexpr std::string_view kOthers = R"((module
  (memory (export "memory") 1)
  (func $spins (export "spin") (loop $l (br $l)))
  (func $divides (export "divide_late") (param $n i32) (result i32)
    (local $m i32)
    (local.set $m (local.get $n))
    (loop $next
      (i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (i32.const 1)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.div_u (local.get $m) (local.get $n)))
  (func $deep (param $depth i32) (param $n i32) (result i64)
    (local $x i64)
    (if (result i64) (local.get $depth)
      (then (i64.add (call $deep (i32.sub (local.get $depth) (i32.const 1)) (local.get $n))
                     (i64.extend_i32_u (local.get $depth))))
      (else
        (loop $next
          (local.set $x (i64.add (i64.mul (local.get $x) (i64.const 31)) (i64.extend_i32_u (local.get $n))))
          (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $x))))
  (func (export "deep") (param i32 i32) (result i64) (call $deep (local.get 0) (local.get 1)))
  (func (export "thirds") (param $n i32) (result f64) (local $x f64)
    (loop $next
      (local.set $x (f64.add (local.get $x) (f64.div (f64.const 1) (f64.convert_i32_u (local.get $n)))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x))
))";

class SwitchedOutGuest : public ::testing::Test {
 protected:
  GuestRun begin(Invocation& invocation, Milliseconds timeout, Nanoseconds quantum) {
    return GuestRun(*instance_, test::trap_guard(), clock_, {}, invocation,
                    RunLimits{.deadline = clock_.now() + timeout, .quantum = quantum});
  }

  SystemClock clock_;
  std::unique_ptr<LoadedModule> module_ = load_wat(kOthers);
  std::unique_ptr<Instance> instance_ = *Instance::create(*module_, SandboxLimits{});
};

TEST_F(SwitchedOutGuest, GoesOnAtOnceWhenNobodyAsksForAPause) {
  OneCall call(module_->manifest(), "divide_late", {1000});
  GuestRun run = begin(call, kLong, Nanoseconds::max());

  ASSERT_TRUE(run.advance(clock_.now()));
  EXPECT_EQ(run.used(), Nanoseconds(0));
}

TEST_F(SwitchedOutGuest, SaysHowLongItHasRun) {
  OneCall call(module_->manifest(), "spin", {});
  GuestRun run = begin(call, kLong, Milliseconds(2));

  const TimePoint start = clock_.now();
  for (int slice = 1; slice <= 5; ++slice) {
    const Nanoseconds before = run.used();
    ASSERT_FALSE(run.advance(clock_.now()));
    EXPECT_TRUE(run.switched_out());
    EXPECT_LE(run.wake(), clock_.now());
    EXPECT_GT(run.used(), before);
    EXPECT_LE(run.used(), clock_.now() - start);
  }
}

TEST_F(SwitchedOutGuest, TrapsLaterWithTheSameTrace) {
  OneCall call(module_->manifest(), "divide_late", {200'000'000});
  std::size_t switched_out = 0;

  const Outcome outcome = run_guest(*instance_, call, {}, kLong, microseconds(100), &switched_out);

  EXPECT_GT(switched_out, 10U);
  EXPECT_EQ(outcome.kind, Outcome::Kind::trapped);
  EXPECT_EQ(outcome.trap, NUR_TRAP_DIVIDE_BY_ZERO);
  EXPECT_EQ(outcome.where, "divides");
}

TEST_F(SwitchedOutGuest, ExpiresWhileItRuns) {
  OneCall call(module_->manifest(), "spin", {});
  std::size_t switched_out = 0;

  const Outcome outcome =
      run_guest(*instance_, call, {}, Milliseconds(50), microseconds(200), &switched_out);

  EXPECT_GT(switched_out, 0U);
  EXPECT_EQ(outcome.kind, Outcome::Kind::expired);
  EXPECT_EQ(outcome.where, "spins");
}

TEST_F(SwitchedOutGuest, ExpiresWhileItWaitsForItsTurn) {
  OneCall call(module_->manifest(), "spin", {});
  GuestRun run = begin(call, Milliseconds(300), Milliseconds(1));
  ASSERT_FALSE(run.advance(clock_.now()));
  ASSERT_TRUE(run.switched_out());

  const std::optional<Outcome> outcome = run.advance(clock_.now() + Milliseconds(400));

  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, Outcome::Kind::expired);
  EXPECT_EQ(outcome->where, "spins");
}

TEST_F(SwitchedOutGuest, CanBeForgottenAndItsInstanceUsedAgain) {
  for (int i = 0; i < 100; ++i) {
    OneCall endless(module_->manifest(), "spin", {});
    GuestRun run = begin(endless, kLong, microseconds(50));
    ASSERT_FALSE(run.advance(clock_.now()));
    ASSERT_TRUE(instance_->reset());

    OneCall call(module_->manifest(), "deep", {100, 1});
    ASSERT_EQ(run_guest(*instance_, call).kind, Outcome::Kind::returned);
    ASSERT_EQ(call.result().i64, 5051U);
  }
}

TEST_F(SwitchedOutGuest, TakesTurnsWithAnother) {
  const auto other = *Instance::create(*module_, SandboxLimits{});
  constexpr std::uint64_t kRounds = 50'000'000;
  OneCall alone(module_->manifest(), "deep", {10, kRounds});
  ASSERT_EQ(run_guest(*instance_, alone, {}, kLong).kind, Outcome::Kind::returned);
  OneCall alone_too(module_->manifest(), "thirds", {kRounds});
  ASSERT_EQ(run_guest(*instance_, alone_too, {}, kLong).kind, Outcome::Kind::returned);

  OneCall first(module_->manifest(), "deep", {10, kRounds});
  OneCall second(module_->manifest(), "thirds", {kRounds});
  GuestRun runs[] = {
      begin(first, kLong, microseconds(100)),
      GuestRun(*other, test::trap_guard(), clock_, {}, second,
               RunLimits{.deadline = clock_.now() + kLong, .quantum = microseconds(100)})};
  std::optional<Outcome> outcomes[2];
  std::size_t turns = 0;
  while (!outcomes[0] || !outcomes[1]) {
    for (int i = 0; i < 2; ++i) {
      if (!outcomes[i]) outcomes[i] = runs[i].advance(clock_.now());
    }
    ++turns;
  }

  EXPECT_GT(turns, 20U);
  EXPECT_EQ(first.result().i64, alone.result().i64);
  EXPECT_EQ(second.result().i64, alone_too.result().i64);
}

// The last frame is as near to the guard as one can be: one deeper overflows.
TEST_F(SwitchedOutGuest, NeedsNothingOfAFullStack) {
  std::uint64_t fits = 0;
  for (std::uint64_t step = 1 << 16; step > 0; step /= 2) {
    OneCall call(module_->manifest(), "deep", {fits + step, 1});
    const Outcome outcome = run_guest(*instance_, call);
    if (outcome.kind == Outcome::Kind::returned) fits += step;
    ASSERT_TRUE(instance_->reset());
  }
  ASSERT_GT(fits, 1000U);
  constexpr std::uint64_t kRounds = 30'000'000;
  OneCall whole(module_->manifest(), "deep", {fits, kRounds});
  ASSERT_EQ(run_guest(*instance_, whole, {}, kLong).kind, Outcome::Kind::returned);

  OneCall cut(module_->manifest(), "deep", {fits, kRounds});
  std::size_t switched_out = 0;
  const Outcome outcome = run_guest(*instance_, cut, {}, kLong, microseconds(100), &switched_out);

  EXPECT_EQ(outcome.kind, Outcome::Kind::returned);
  EXPECT_GT(switched_out, 20U);
  EXPECT_EQ(cut.result().i64, whole.result().i64);
}

// What the host's own arithmetic is set to is nothing to a guest, nor the other way round.
TEST_F(SwitchedOutGuest, RoundsToNearestWhateverTheHostDoes) {
  constexpr std::uint64_t kRounds = 1'000'000;
  OneCall before(module_->manifest(), "thirds", {kRounds});
  ASSERT_EQ(run_guest(*instance_, before).kind, Outcome::Kind::returned);

  const unsigned as_it_was = _mm_getcsr();
  constexpr unsigned kDownFlushing = 0xa000;
  _mm_setcsr(as_it_was | kDownFlushing);
  OneCall after(module_->manifest(), "thirds", {kRounds});
  const Outcome outcome = run_guest(*instance_, after, {}, kLong, microseconds(50));
  const unsigned as_it_is = _mm_getcsr();
  _mm_setcsr(as_it_was);

  EXPECT_EQ(outcome.kind, Outcome::Kind::returned);
  EXPECT_EQ(after.result().i64, before.result().i64);
  EXPECT_EQ(as_it_is & 0xe000, kDownFlushing);
}

constexpr std::string_view kSleepsAndSpins = R"((module
  (import "nur" "nur_end" (func $sleep))
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "poll_stream") (param i32 i32))
  (func $naps (export "nap") (param $n i32)
    (loop $l (call $sleep) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func $spins (export "spin") (loop $l (br $l)))
  (func $calls (export "call_host") (loop $l (call $sleep) (br $l)))
  (func $fills (export "fill")
    (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br $l)))))";

HostReply sleep_5ms(void*, const GuestMemory&, nur_value*) {
  return HostReply::sleep(std::chrono::steady_clock::now() + Milliseconds(5));
}

class CpuTime : public ::testing::TestWithParam<Nanoseconds> {
 protected:
  Outcome run(std::string_view name, std::vector<std::uint64_t> arguments, HostFunction function) {
    const auto instance = *Instance::create(*module_, SandboxLimits{});
    const std::vector<HostFunction> functions{function};
    OneCall call(module_->manifest(), name, std::move(arguments));
    const SystemClock clock;
    GuestRun run(
        *instance, test::trap_guard(), clock, functions, call,
        RunLimits{
            .deadline = clock.now() + kLong, .quantum = GetParam(), .cpu_time = Milliseconds(20)});
    while (true) {
      if (std::optional<Outcome> outcome = run.advance(clock.now())) return *outcome;
      std::this_thread::sleep_until(run.wake());
    }
  }

  std::unique_ptr<LoadedModule> module_ = load_wat(kSleepsAndSpins);
};

TEST_P(CpuTime, EndsAGuestThatUsesMore) {
  for (const auto& [name, frame] :
       {std::pair("spin", "spins"), std::pair("fill", "fills"), std::pair("call_host", "calls")}) {
    const Nanoseconds before = thread_cpu_time();
    const Outcome outcome = run(name, {}, nothing);

    EXPECT_EQ(outcome.kind, Outcome::Kind::overspent) << name;
    EXPECT_GE(thread_cpu_time() - before, Milliseconds(15)) << name;
    EXPECT_TRUE(outcome.where.ends_with(frame)) << outcome.where;
  }
}

TEST_P(CpuTime, IsNotUsedBySleeping) {
  EXPECT_EQ(run("nap", {12}, sleep_5ms).kind, Outcome::Kind::returned);
}

TEST_P(CpuTime, IsUsedByAGuestThatSleepsBetweenItsLoops) {
  EXPECT_EQ(run("nap", {1'000'000},
                [](void*, const GuestMemory&, nur_value*) {
                  const Nanoseconds until = thread_cpu_time() + microseconds(300);
                  while (thread_cpu_time() < until) continue;
                  return HostReply::sleep(std::chrono::steady_clock::now());
                })
                .kind,
            Outcome::Kind::overspent);
}

INSTANTIATE_TEST_SUITE_P(Quanta, CpuTime,
                         ::testing::Values(Nanoseconds::max(), Nanoseconds(Milliseconds(1))),
                         [](const auto& tested) {
                           return tested.param == Nanoseconds::max() ? "none" : "millisecond";
                         });

}  // namespace
}  // namespace nur
