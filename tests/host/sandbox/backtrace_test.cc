// Who called whom when a guest was stopped: real guests, stacks made by hand, and tables that lie.
#include "host/sandbox/backtrace.h"

#include <limits>
#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/artefact_file.h"
#include "tests/support/guest.h"

namespace nur {
namespace {

using test::load_wat;
using test::OneCall;
using test::run_guest;
using testing::HasSubstr;
using testing::MatchesRegex;

// --- guests

// Calls through a table are never inlined, so every function of a chain has a frame of its own.
constexpr std::string_view kChains = R"((module
  (import "nur" "nur_log" (func $log (param i32 i32)))
  (import "nur" "nur_send" (func $send (param i32 i32)))
  (memory (export "memory") 1)
  (table 8 funcref)
  (elem (i32.const 0) $leaf $middle $spins $logs $sends)
  (type $t (func (param i32) (result i32)))
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "poll_stream") (param i32 i32))

  (func $leaf (param i32) (result i32) (i32.load (local.get 0)))
  (func $spins (param i32) (result i32) (loop $l (br $l)) (i32.const 0))
  (func $logs (param i32) (result i32)
    (call $log (i32.const 0) (local.get 0)) (i32.const 0))
  (func $sends (param i32) (result i32)
    (call $send (i32.const 0) (local.get 0)) (i32.const 0))
  (func $middle (param i32) (result i32)
    (i32.add (i32.const 1)
      (call_indirect (type $t) (local.get 0) (i32.and (local.get 0) (i32.const 7)))))
  (func $top (export "enter") (param i32) (result i32)
    (i32.mul (i32.const 3) (call_indirect (type $t) (local.get 0) (i32.const 1))))

  (func $deep (export "deep") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (call $deep (i32.sub (local.get 0) (i32.const 1))) (local.get 0)))
      (else (unreachable))))
  (func $ping (export "endless") (param i32) (result i32)
    (i32.add (call_indirect (type $t) (i32.const 0) (i32.const 5)) (i32.const 1)))
  (func $pong (param i32) (result i32)
    (i32.add (call_indirect (type $t) (i32.const 0) (i32.const 6)) (i32.const 1)))
  (elem (i32.const 5) $pong $ping)))";

HostReply resume(void*, const GuestMemory&, nur_value*) { return HostReply::resume(); }
HostReply refuse(void*, const GuestMemory&, nur_value*) { return HostReply::trap(NUR_TRAP_HOST); }
HostReply sleep_long(void*, const GuestMemory&, nur_value*) {
  return HostReply::sleep(SystemClock().now() + Milliseconds(60'000));
}

BuildOptions at_level(int optimisation) {
  BuildOptions options;
  options.optimisation = optimisation;
  return options;
}

class BacktraceOfAGuest : public ::testing::TestWithParam<int> {
 protected:
  Outcome run(std::string_view name, std::vector<std::uint64_t> arguments,
              std::vector<HostFunction> functions = {resume, resume}) {
    OneCall one(module_->manifest(), name, std::move(arguments));
    return run_guest(*instance_, one, functions, Milliseconds(30));
  }
  std::string where(std::string_view name, std::vector<std::uint64_t> arguments) {
    return run(name, std::move(arguments)).where;
  }

  std::unique_ptr<LoadedModule> module_ = load_wat(kChains, at_level(GetParam()));
  std::unique_ptr<Instance> instance_ = *Instance::create(*module_, SandboxLimits{});
};

TEST_P(BacktraceOfAGuest, NamesCallersInnermostFirst) {
  EXPECT_EQ(where("enter", {0xfffffff8}), "leaf <- middle <- top");
}

TEST_P(BacktraceOfAGuest, OfACallThatFindsNoFunctionBeginsAtTheCaller) {
  EXPECT_EQ(where("enter", {0xffffffff}), "middle <- top");
}

TEST_P(BacktraceOfAGuest, CountsAFunctionThatCallsItself) {
  EXPECT_THAT(where("deep", {0}), "deep");
  EXPECT_THAT(where("deep", {1000}), MatchesRegex("deep \\(x [0-9]+\\)"));
  if (GetParam() == 0) {
    EXPECT_EQ(where("deep", {1000}), "deep (x 1001)") << "nothing inlined";
  }
}

TEST_P(BacktraceOfAGuest, LeavesOutTheMiddleOfAnExhaustedStack) {
  const Outcome outcome = run("endless", {0});

  EXPECT_EQ(outcome.trap, NUR_TRAP_STACK_OVERFLOW);
  EXPECT_THAT(
      outcome.where,
      MatchesRegex("p[io]ng( <- p[io]ng)+ <- ... [0-9]+ more <- pong <- ping <- pong <- ping"));
}

TEST_P(BacktraceOfAGuest, ThatRanOutOfTimeIsOfWhereItWas) {
  const Outcome outcome = run("enter", {2});

  EXPECT_EQ(outcome.kind, Outcome::Kind::expired);
  EXPECT_EQ(outcome.where, "spins <- middle <- top");
}

TEST_P(BacktraceOfAGuest, BeginsWithTheHostCallThatWasRefused) {
  EXPECT_EQ(run("enter", {3}, {refuse, resume}).where, "nur_log (host) <- logs <- middle <- top");
  EXPECT_EQ(run("enter", {4}, {resume, refuse}).where, "nur_send (host) <- sends <- middle <- top");
}

TEST_P(BacktraceOfAGuest, BeginsWithTheHostCallThatSleptTooLong) {
  const Outcome outcome = run("enter", {3}, {sleep_long, resume});

  EXPECT_EQ(outcome.kind, Outcome::Kind::expired);
  EXPECT_EQ(outcome.where, "nur_log (host) <- logs <- middle <- top");
}

TEST_P(BacktraceOfAGuest, IsTheSameEveryTime) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(where("enter", {0xfffffff8}), "leaf <- middle <- top") << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Optimised, BacktraceOfAGuest, ::testing::Values(0, 1, 2, 3));

TEST(Backtrace, OfAModuleWithoutANameSectionUsesExportsAndNumbers) {
  const auto module = load_wat(R"((module
    (table 2 funcref) (elem (i32.const 0) 1)
    (type (func))
    (func (export "outer") (call_indirect (type 0) (i32.const 0)))
    (func (type 0) unreachable)))");
  const auto instance = *Instance::create(*module, SandboxLimits{});
  OneCall one(module->manifest(), "outer", {});

  EXPECT_EQ(run_guest(*instance, one).where, "function 1 <- outer");
}

TEST(Backtrace, OfTheStartFunctionNamesIt) {
  const auto module = load_wat(R"((module
    (func $begins unreachable) (start $begins) (func (export "other"))))");
  const auto instance = *Instance::create(*module, SandboxLimits{});
  OneCall one(module->manifest(), "other", {});

  EXPECT_EQ(run_guest(*instance, one).where, "begins");
}

TEST(Backtrace, OfAStrippedArtefactIsEmpty) {
  BuildOptions options;
  options.strip = true;
  const auto module = load_wat(kChains, options);
  const auto instance = *Instance::create(*module, SandboxLimits{});
  const std::vector<HostFunction> functions{refuse, resume};
  OneCall load(module->manifest(), "enter", {0xfffffff8});
  OneCall log(module->manifest(), "enter", {3});

  EXPECT_TRUE(module->manifest().stripped);
  EXPECT_EQ(module->functions().size(), 0U);
  const Outcome trapped = run_guest(*instance, load, functions);
  EXPECT_EQ(trapped.where, "");
  EXPECT_EQ(explain_stop(trapped, TimeLimits{}), "trap: out of bounds memory access");
  EXPECT_EQ(run_guest(*instance, log, functions).where, "nur_log (host)");
}

// --- stacks made by hand

constexpr std::uintptr_t kBase = 0x10000;

FrameRule above_stack_pointer(std::int32_t offset) {
  FrameRule rule;
  rule.cfa = FrameRule::Cfa::register_offset;
  rule.cfa_offset = offset;
  return rule;
}

// Functions of 16 bytes from 0x1000 on, each with one rule for all of its code.
class Stack {
 public:
  std::uint32_t add_function(std::string name, FrameRule rule) {
    const auto index = static_cast<std::uint32_t>(functions_.size());
    functions_.push_back({.address = 0x1000 + 16 * index,
                          .bytes = 16,
                          .wasm_index = index,
                          .name = std::move(name),
                          .rows = {{0, rule}}});
    return index;
  }
  static std::uint64_t inside(std::uint32_t function) { return kBase + 0x1000 + 16 * function + 5; }
  [[nodiscard]] std::uint64_t address(std::size_t word) const {
    return reinterpret_cast<std::uintptr_t>(&words[word]);
  }

  [[nodiscard]] std::string text() const {
    const std::string section = encode_function_table(functions_);
    const FunctionTable table = *FunctionTable::read(section);
    return backtrace_text({table, kBase, kBase + 0x1000, kBase + 0x1000 + 16 * functions_.size()},
                          registers, std::as_bytes(std::span(words)));
  }

  std::vector<std::uint64_t> words = std::vector<std::uint64_t>(64);
  GuestRegisters registers;

 private:
  std::vector<NativeFunction> functions_;
};

TEST(BacktraceText, FollowsStackPointersAndStopsOutsideOfTheCode) {
  Stack stack;
  stack.add_function("inner", above_stack_pointer(16));
  stack.add_function("outer", above_stack_pointer(24));
  stack.registers.program_counter = Stack::inside(0);
  stack.registers.general[kDwarfRsp] = stack.address(0);
  stack.words[1] = Stack::inside(1);
  stack.words[4] = 0x42;  // the host's

  EXPECT_EQ(stack.text(), "inner <- outer");
}

TEST(BacktraceText, FollowsFramePointers) {
  Stack stack;
  FrameRule by_frame_pointer = above_stack_pointer(16);
  by_frame_pointer.base = kDwarfRbp;
  by_frame_pointer.frame_pointer = FrameRule::FramePointer::at_cfa;
  by_frame_pointer.frame_pointer_offset = -16;
  // A realigned frame: the CFA is kept below the saved frame pointer.
  FrameRule realigned = by_frame_pointer;
  realigned.cfa = FrameRule::Cfa::memory;
  realigned.cfa_offset = -8;
  realigned.frame_pointer = FrameRule::FramePointer::at_base;
  realigned.frame_pointer_offset = 0;
  stack.add_function("plain", by_frame_pointer);
  stack.add_function("realigned", realigned);
  stack.add_function("outer", by_frame_pointer);
  stack.registers.program_counter = Stack::inside(0);
  stack.registers.general[kDwarfRbp] = stack.address(10);
  stack.words[10] = stack.address(20);  // the caller's rbp
  stack.words[11] = Stack::inside(1);
  stack.words[20] = stack.address(40);
  stack.words[19] = stack.address(30);  // CFA
  stack.words[29] = Stack::inside(2);
  stack.words[40] = 0;
  stack.words[41] = 0x42;

  EXPECT_EQ(stack.text(), "plain <- realigned <- outer");
}

TEST(BacktraceText, KnowsOtherRegistersOfTheInnermostFrameOnly) {
  Stack stack;
  FrameRule by_r11 = above_stack_pointer(8);
  by_r11.base = 11;
  stack.add_function("probes", by_r11);
  stack.registers.program_counter = Stack::inside(0);
  stack.registers.general[11] = stack.address(5);
  stack.words[5] = Stack::inside(0);

  EXPECT_EQ(stack.text(), "probes (x 2) <- ?");
}

TEST(BacktraceText, EndsWhereTheStackMakesNoSense) {
  for (const std::int32_t offset : {0, -8, 4, 8 * 65, std::numeric_limits<std::int32_t>::min(),
                                    std::numeric_limits<std::int32_t>::max()}) {
    Stack stack;
    stack.add_function("lost", above_stack_pointer(offset));
    stack.registers.program_counter = Stack::inside(0);
    stack.registers.general[kDwarfRsp] = stack.address(0);
    for (std::uint64_t& word : stack.words) word = Stack::inside(0);

    EXPECT_THAT(stack.text(), MatchesRegex("lost( \\(x [0-9]+\\))? <- \\?")) << offset;
  }
}

TEST(BacktraceText, EndsAtTheTopOfTheStack) {
  Stack stack;
  stack.add_function("f", above_stack_pointer(8));
  stack.registers.program_counter = Stack::inside(0);
  stack.registers.general[kDwarfRsp] = stack.address(0);
  for (std::uint64_t& word : stack.words) word = Stack::inside(0);

  EXPECT_EQ(stack.text(), "f (x 65) <- ?");
}

TEST(BacktraceText, IsPrintableAndShortWhateverTheNames) {
  Stack stack;
  std::string name = "\n2026-01-01T00:00:00.000Z error \x1b[31m\xff\xc2\x9b";
  name += std::string(10000, '\n');
  for (int i = 0; i < 60; ++i) stack.add_function(name, above_stack_pointer(8));
  stack.registers.program_counter = Stack::inside(0);
  stack.registers.general[kDwarfRsp] = stack.address(0);
  for (std::uint32_t i = 0; i < 59; ++i) stack.words[i] = Stack::inside(i + 1);

  const std::string text = stack.text();

  EXPECT_LT(text.size(), 5000U);
  EXPECT_EQ(text.find_first_of(std::string_view("\n\r\x1b\x00", 4)), std::string::npos);
  EXPECT_THAT(text, HasSubstr("\\n2026-01-01"));
  EXPECT_THAT(text, HasSubstr(" <- ... 40 more <- "));
}

TEST(BacktraceText, IsEmptyWithoutATable) {
  GuestRegisters registers;
  registers.program_counter = kBase + 1;
  EXPECT_EQ(backtrace_text({FunctionTable(), kBase, kBase, kBase + 100}, registers, {}), "");
}

// --- tables that lie

void change_bytes(std::string& bytes, std::mt19937& random) {
  const std::size_t changes = 1 + random() % 8;
  for (std::size_t i = 0; i < changes; ++i) {
    // Half of the changes go where the header, the first entries and extreme values are.
    const std::size_t at =
        random() % (random() % 2 == 0 ? bytes.size() : std::min<std::size_t>(bytes.size(), 200));
    constexpr char kValues[] = {0, 1, 2, 7, 8, 127, char(128), char(255)};
    bytes[at] =
        random() % 2 == 0 ? kValues[random() % sizeof kValues] : static_cast<char>(random());
  }
}

TEST(BacktraceText, SurvivesTenThousandChangedTables) {
  const std::string artefact = *read_file(test::artefact_of(kChains), kArtefactBytesMax);
  const std::string good(find_section(*unseal(artefact), kFunctionsSection));
  const std::uint64_t text_bytes = 0x10000;
  std::mt19937 random(20260131);
  std::size_t read = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string changed = good;
    change_bytes(changed, random);
    const auto table = FunctionTable::read(changed);
    if (!table) continue;
    ++read;
    // A stack of everything that could lead somewhere: code, stack and small numbers.
    std::vector<std::uint64_t> words(512);
    for (std::uint64_t& word : words) {
      const std::uint64_t kind = random() % 4;
      word = kind == 0   ? random()
             : kind == 1 ? reinterpret_cast<std::uintptr_t>(&words[random() % words.size()])
                         : kBase + random() % text_bytes;
    }
    GuestRegisters registers;
    for (std::uint64_t& value : registers.general) {
      value = reinterpret_cast<std::uintptr_t>(&words[random() % words.size()]);
    }
    registers.program_counter = kBase + table->entry(random() % table->size()).address;
    registers.in_call = random() % 2 == 0;
    const std::string text = backtrace_text({*table, kBase, kBase, kBase + text_bytes}, registers,
                                            std::as_bytes(std::span(words)));
    ASSERT_LT(text.size(), 5000U);
  }
  EXPECT_GT(read, 5'000U);
}

TEST(BacktraceOfAChangedArtefact, NeverHurtsTheHostInTenThousandTries) {
  const ScratchDir folder = *ScratchDir::create("nur-lies-");
  const std::string artefact = *read_file(test::artefact_of(kChains), kArtefactBytesMax);
  const std::string elf(*unseal(artefact));
  const std::string good(find_section(elf, kFunctionsSection));
  const std::size_t at = elf.find(good);
  ASSERT_NE(at, std::string::npos);
  const std::vector<HostFunction> functions{refuse, refuse};

  std::mt19937 random(20260131);
  std::map<std::string, int> seen;
  for (int i = 0; i < 10'000; ++i) {
    std::string section = good;
    change_bytes(section, random);
    std::string changed = elf;
    changed.replace(at, section.size(), section);
    const Path file = folder.path() / "lies.so";
    ASSERT_TRUE(write_file(file, seal(std::move(changed))));
    const auto module = LoadedModule::load(file);
    ASSERT_TRUE(module) << module.error().message;
    const auto instance = *Instance::create(**module, SandboxLimits{});
    for (const std::uint64_t argument : {std::uint64_t{0xfffffff8}, std::uint64_t{3}}) {
      OneCall one((*module)->manifest(), "enter", {argument});
      const Outcome outcome = run_guest(*instance, one, functions);
      ASSERT_EQ(outcome.kind, Outcome::Kind::trapped);
      ASSERT_LT(outcome.where.size(), 5000U);
      ++seen[outcome.where];
    }
  }
  EXPECT_GT(seen.size(), 10U) << "changes are seen";
}

}  // namespace
}  // namespace nur
