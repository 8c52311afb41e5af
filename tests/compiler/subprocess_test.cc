#include "compiler/subprocess.h"

#include <csignal>

#include <gtest/gtest.h>

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
  const auto result = shell("sleep 61 & echo $! > pid; wait", {.wall = Milliseconds(300)});
  ASSERT_FALSE(result);

  const std::string pid = *read_file(folder_.path() / "pid", 100);
  for (int tries = 0; tries < 100 && ::kill(std::stoi(pid), 0) == 0; ++tries) ::usleep(20'000);
  // Killed, though perhaps not yet reaped by whoever adopted it.
  const auto stat = read_file("/proc/" + pid.substr(0, pid.size() - 1) + "/stat", 1000);
  EXPECT_TRUE(!stat || stat->find(") Z ") != std::string::npos || stat->empty());
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
