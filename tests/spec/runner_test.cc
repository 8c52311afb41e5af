// The runner against scripts that do not hold: each must be counted as failed.
#include <csignal>

#include <gtest/gtest.h>

#include "tests/spec/run_script.h"
#include "tests/spec/traps.h"
#include "tests/spec/workers.h"

namespace nur::spec {
namespace {

constexpr std::string_view kModule = R"((module
  (global (export "seven") i32 (i32.const 7))
  (func (export "one") (result i32) (i32.const 1))
  (func (export "trap") (unreachable))
  (func $deep (export "deep") (call $deep))))";

class SpecRunnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(write_file(folder_.path() / "module.wat", kModule));
    const auto bytes = read_wasm(folder_.path() / "module.wat", toolchain_, interrupt_);
    ASSERT_TRUE(bytes) << bytes.error().message;
    ASSERT_TRUE(write_file(folder_.path() / "script.wasm", *bytes));
  }

  // The module, then `command`.
  Report run(Command command, const SkippedLines& skips = {}) {
    Command module;
    module.kind = Command::Kind::module;
    module.file = folder_.path() / "script.wasm";
    module.line = 1;
    command.line = 2;
    const Workshop workshop{toolchain_, interrupt_, {}, folder_.path(), folder_.path()};
    return run_script({module, std::move(command)}, "test.wast", skips, workshop, guard_);
  }

  static Command invoke(Command::Kind kind, const std::string& function, std::string why = "") {
    Command command;
    command.kind = kind;
    command.action.field = function;
    command.why = std::move(why);
    return command;
  }

  static Command returning(const std::string& function, const std::string& number) {
    Command command = invoke(Command::Kind::assert_return, function);
    command.expected = {{ValueType::i32, LaneType::i32, {number}}};
    return command;
  }

  ScratchDir folder_ = *ScratchDir::create("nur-spec-test-");
  Interrupt interrupt_ = *Interrupt::listen();
  Toolchain toolchain_ = *find_toolchain({}, interrupt_);
  TrapGuard guard_ = *TrapGuard::install();
};

TEST_F(SpecRunnerTest, PassesTheResultThatIsExpected) {
  EXPECT_EQ(run(returning("one", "1")).summary(), "assertions=1 passed=1 failed=0 skipped=0");
}

TEST_F(SpecRunnerTest, FailsForAnotherResult) {
  const Report report = run(returning("one", "2"));

  EXPECT_EQ(report.summary(), "assertions=1 passed=0 failed=1 skipped=0");
  EXPECT_EQ(report.failures.at(0),
            "test.wast:2: assert_return: one: result 0 is i32 1, expected i32 2");
}

TEST_F(SpecRunnerTest, ReadsExportedGlobals) {
  Command command = returning("seven", "7");
  command.action.reads_global = true;
  EXPECT_EQ(run(command).passed, 1);
  command.expected[0].texts = {"8"};
  EXPECT_EQ(run(command).failures.size(), 1U);
}

TEST_F(SpecRunnerTest, FailsForATrapOfAnotherReason) {
  EXPECT_EQ(run(invoke(Command::Kind::assert_trap, "trap", "unreachable")).passed, 1);
  EXPECT_EQ(run(invoke(Command::Kind::assert_trap, "trap", "integer overflow")).passed, 0);
  EXPECT_EQ(run(invoke(Command::Kind::assert_trap, "one", "unreachable")).passed, 0);
  EXPECT_EQ(run(returning("trap", "1")).passed, 0);
}

TEST_F(SpecRunnerTest, TakesAStackOverflowForExhaustion) {
  EXPECT_EQ(run(invoke(Command::Kind::assert_exhaustion, "deep", "call stack exhausted")).passed,
            1);
  EXPECT_EQ(run(invoke(Command::Kind::assert_exhaustion, "trap", "call stack exhausted")).passed,
            0);
}

TEST_F(SpecRunnerTest, FailsWhenAModuleThatMustBeRefusedIsTaken) {
  Command command;
  command.kind = Command::Kind::assert_invalid;
  command.file = folder_.path() / "script.wasm";
  EXPECT_EQ(run(command).failures.size(), 1U);
  command.kind = Command::Kind::assert_unlinkable;
  EXPECT_EQ(run(command).failures.size(), 1U);
  command.kind = Command::Kind::assert_uninstantiable;
  EXPECT_EQ(run(command).failures.size(), 1U);
}

TEST_F(SpecRunnerTest, CountsSkippedLinesAndFailsForThoseWithoutACommand) {
  EXPECT_EQ(run(returning("one", "2"), {{2, "reason"}}).summary(),
            "assertions=1 passed=0 failed=0 skipped=1");
  EXPECT_EQ(run(returning("one", "1"), {{3, "reason"}}).failures.size(), 1U);
}

TEST(SpecWorkers, AddUpWhatTheirProcessesReport) {
  const Interrupt interrupt = *Interrupt::listen();
  const auto passes = [](const Path&) {
    Report report;
    report.assertions = report.passed = 1;
    return report;
  };
  const auto dies = [](const Path&) {
    ::raise(SIGKILL);
    return Report{};
  };
  int done = 0;

  const Result<Report> report =
      run_jobs({{"one.wast", passes}, {"dies.wast", dies}, {"two.wast", passes}}, 2, interrupt,
               [&](auto&&...) { ++done; });

  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->summary(), "assertions=3 passed=2 failed=1 skipped=0");
  EXPECT_EQ(report->failures.at(0), "dies.wast: its process died of signal 9");
  EXPECT_EQ(done, 3);
}

TEST(SpecTraps, AreComparedByTheirTexts) {
  EXPECT_TRUE(is_expected_trap("integer divide by zero", NUR_TRAP_DIVIDE_BY_ZERO));
  EXPECT_TRUE(is_expected_trap("uninitialized element 2", NUR_TRAP_INDIRECT_CALL));
  EXPECT_FALSE(is_expected_trap("out of bounds table access", NUR_TRAP_INDIRECT_CALL));
  EXPECT_FALSE(is_expected_trap("out of bounds memory access", NUR_TRAP_OUT_OF_BOUNDS_TABLE));
}

TEST(SpecSkipList, ReadsRangesAndReasons) {
  const Result<SkipList> list = parse_skip_list("# comment\ncore/a.wast 3-5,9 no tables\n");

  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->at("core/a.wast"),
            (SkippedLines{{3, "no tables"}, {4, "no tables"}, {5, "no tables"}, {9, "no tables"}}));
}

TEST(SpecSkipList, RefusesALineWithoutAReason) {
  EXPECT_FALSE(parse_skip_list("core/a.wast 3\n"));
  EXPECT_FALSE(parse_skip_list("core/a.wast three because\n"));
  EXPECT_FALSE(parse_skip_list("core/a.wast 5-3 because\n"));
}

}  // namespace
}  // namespace nur::spec
