#include "compiler/subprocess.h"

#include <csignal>
#include <unistd.h>

#include <gtest/gtest.h>

#include "compiler/fence.h"

namespace nur {
namespace {

class Subprocess : public ::testing::Test {
 protected:
  Result<std::string> shell(const std::string& script, const ProcessLimits& limits = {}) {
    Command command;
    command.arguments = {"/bin/sh", "-c", script};
    command.folder = folder_.path();
    command.limits = limits;
    return run_process(command, interrupt_);
  }

  // Whether all processes that were given our folder end soon.
  [[nodiscard]] bool nobody_is_left() const {
    for (int tries = 0; tries < 200; ++tries) {
      if (!is_somebody_there()) return true;
      ::usleep(20'000);
    }
    return false;
  }
  [[nodiscard]] bool is_somebody_there() const {
    const std::string sign = "TMPDIR=" + folder_.path().string();
    for (const auto& process : std::filesystem::directory_iterator("/proc")) {
      const auto environment = read_file(process.path() / "environ", 1 << 20);
      if (environment && environment->find(sign) != std::string::npos) return true;
    }
    return false;
  }

  ScratchDir folder_ = *ScratchDir::create("nur-subprocess-");
  Interrupt interrupt_ = *Interrupt::listen();
};

TEST_F(Subprocess, ReturnsWhatWasPrinted) { EXPECT_EQ(*shell("echo hello"), "hello\n"); }

TEST_F(Subprocess, RunsInItsFolderWithALeanEnvironment) {
  EXPECT_EQ(*shell("pwd"), folder_.path().string() + "\n");
  EXPECT_EQ(*shell("echo $HOME$USER$LC_ALL"), "C\n");
}

TEST_F(Subprocess, HasNoInput) { EXPECT_EQ(*shell("cat"), ""); }

TEST_F(Subprocess, QuotesTheLastWordsOfAFailure) {
  const auto result = shell("echo it broke >&2; exit 3");

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::invalid_input);
  EXPECT_EQ(result.error().message, "sh failed (3): it broke");
}

TEST_F(Subprocess, SaysThatAChildDiedByASignal) {
  const auto result = shell("kill -SEGV $$");

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::internal);
  EXPECT_EQ(result.error().message, "sh died by signal 11 (Segmentation fault)");
}

TEST_F(Subprocess, StopsAChildAtItsLimitOfCpuTime) {
  const auto result = shell("while :; do :; done", {.cpu_seconds = 1});

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::limit_exceeded);
  EXPECT_EQ(result.error().message, "sh was stopped after its limit of 1 s of CPU time");
}

// What is known of a compiler's children is what it says of them.
TEST_F(Subprocess, TellsWhichLimitACompilersChildRanInto) {
  const std::pair<const char*, const char*> kTold[] = {
      {"cc1: out of memory allocating 65536 bytes",
       "sh needs more than its limit of 4GiB of memory"},
      {"virtual memory exhausted: Cannot allocate memory",
       "sh needs more than its limit of 4GiB of memory"},
      {"ld: memory exhausted", "sh needs more than its limit of 4GiB of memory"},
      {"fatal error: CPU time limit exceeded signal terminated program cc1",
       "sh was stopped after its limit of 120 s of CPU time"},
      {"fatal error: File size limit exceeded signal terminated program as",
       "sh wrote a file of more than 536870912 bytes, which is the limit"},
  };
  for (const auto& [words, message] : kTold) {
    const auto result = shell(fmt::format("echo '{}' >&2; exit 1", words));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::limit_exceeded) << words;
    EXPECT_EQ(result.error().message, message);
  }
}

TEST_F(Subprocess, TellsThatACompilersChildDied) {
  const auto result = shell(
      "echo 'g++: internal compiler error: Segmentation fault signal terminated program cc1' >&2;"
      "exit 4");

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::internal);
  EXPECT_EQ(result.error().message,
            "a process of sh died: g++: internal compiler error: Segmentation fault signal "
            "terminated program cc1");
}

TEST_F(Subprocess, StopsAChildAtItsLimitOfMemory) {
  const auto result =
      shell("exec dd if=/dev/zero of=/dev/null bs=200M count=1", {.memory_bytes = 100 << 20});

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::limit_exceeded);
  EXPECT_EQ(result.error().message, "sh needs more than its limit of 100MiB of memory");
}

TEST_F(Subprocess, StopsAChildAtItsLimitOfProcesses) {
  if (!Fence::of_this_machine().counts_own_processes()) GTEST_SKIP() << "root's are not counted";
  const auto result = shell("for i in 1 2 3 4 5 6; do sleep 5 & done; wait", {.processes = 4});

  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("ork"), std::string::npos) << result.error().message;
}

TEST_F(Subprocess, StopsAChildAtItsLimitOfWallTime) {
  const auto result = shell("sleep 60", {.wall = Milliseconds(200)});

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::limit_exceeded);
}

TEST_F(Subprocess, StopsAChildThatWritesTooLargeAFile) {
  const auto result = shell("exec head -c 100000 /dev/zero > big", {.file_bytes = 10000});

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::limit_exceeded);
}

TEST_F(Subprocess, LetsNoGrandchildOutliveAStoppedChild) {
  const auto result = shell("sleep 61 & touch begun; wait", {.wall = Milliseconds(500)});
  ASSERT_FALSE(result);
  ASSERT_TRUE(std::filesystem::exists(folder_.path() / "begun"));

  EXPECT_TRUE(nobody_is_left());
}

TEST_F(Subprocess, LetsNoGrandchildOutliveAChildThatEnded) {
  if (!Fence::of_this_machine().has_own_processes()) GTEST_SKIP() << "needs namespaces";
  // Out of the session, and with none of the child's streams.
  ASSERT_TRUE(shell("setsid sleep 61 >/dev/null 2>&1 & touch begun"));

  EXPECT_TRUE(nobody_is_left());
}

TEST_F(Subprocess, WritesNowhereButInItsFolder) {
  const ScratchDir other = *ScratchDir::create("nur-subprocess-");
  const std::string script = fmt::format("touch here && ! touch {}/there", other.path().string());

  const auto result = shell(script);

  EXPECT_TRUE(result) << result.error().message;
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "here"));
  EXPECT_FALSE(std::filesystem::exists(other.path() / "there"));
}

TEST_F(Subprocess, WritesNowhereWhenItOnlyReads) {
  Command command;
  command.arguments = {"/bin/sh", "-c", "! touch here"};
  command.folder = folder_.path();
  command.only_reads = true;

  const auto result = run_process(command, interrupt_);

  EXPECT_TRUE(result) << result.error().message;
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "here"));
}

TEST_F(Subprocess, SaysWhenAProgramCannotBeStarted) {
  Command command;
  command.arguments = {"/nonexistent/tool"};
  command.folder = folder_.path();

  const auto result = run_process(command, interrupt_);

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "/nonexistent/tool could not be started");
}

TEST_F(Subprocess, StopsWhenTheUserInterrupts) {
  ::raise(SIGINT);  // blocked by Interrupt, so it waits in the descriptor
  EXPECT_TRUE(interrupt_.raised());

  const auto result = shell("sleep 60");

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::interrupted);
  sigset_t pending;
  sigemptyset(&pending);
  sigaddset(&pending, SIGINT);
  int taken = 0;
  ASSERT_EQ(::sigwait(&pending, &taken), 0);
  EXPECT_FALSE(interrupt_.raised());
}

}  // namespace
}  // namespace nur
