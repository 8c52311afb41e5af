#include "base/janitor.h"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace nur {
namespace {

bool is_gone_soon(const Path& path) {
  for (int tries = 0; tries < 400; ++tries) {
    if (!std::filesystem::exists(path)) return true;
    ::usleep(25'000);
  }
  return false;
}

class JanitorTest : public ::testing::Test {
 protected:
  // Runs `work` in a process of its own that is killed at the end of it, with its whole group.
  template <class Work>
  static void killed_after(Work work) {
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      ::setpgid(0, 0);
      const auto kept = work();  // not to be dismissed before
      ::kill(0, SIGKILL);
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  }

  ScratchDir top_ = *ScratchDir::create("nur-janitor-test-");
};

TEST_F(JanitorTest, RemovesTheFolderOfAProcessThatIsKilled) {
  const Path folder = top_.path() / "folder";
  killed_after([&] {
    auto janitor = Janitor::make_folder(folder);
    std::filesystem::create_directories(folder / "deep" / "deeper");
    write_file(folder / "deep" / "file", "text");
    return janitor;
  });
  EXPECT_TRUE(is_gone_soon(folder));
}

TEST_F(JanitorTest, RemovesAScratchFolderOfAProcessThatIsKilled) {
  ::setenv("TMPDIR", top_.path().c_str(), 1);
  killed_after([&] {
    auto scratch = ScratchDir::create("nurc-");
    write_file(scratch->path() / "file", "text");
    write_file(top_.path() / "begun", "");
    return scratch;
  });
  ::unsetenv("TMPDIR");
  ASSERT_TRUE(std::filesystem::remove(top_.path() / "begun"));
  for (const auto& left : std::filesystem::directory_iterator(top_.path())) {
    EXPECT_TRUE(is_gone_soon(left.path())) << left.path();
  }
}

TEST_F(JanitorTest, RemovesAFileThatItWasToldOf) {
  const Path file = top_.path() / "file";
  killed_after([&] {
    auto janitor = Janitor::watch(file);
    write_file(file, "text");
    return janitor;
  });
  EXPECT_TRUE(is_gone_soon(file));
}

TEST_F(JanitorTest, DoesNotWaitForOtherJanitors) {
  const Path first = top_.path() / "first";
  const Path second = top_.path() / "second";
  killed_after([&] {
    auto one = Janitor::make_folder(first);
    auto two = Janitor::make_folder(second);
    return std::make_pair(std::move(one), std::move(two));
  });
  EXPECT_TRUE(is_gone_soon(first));
  EXPECT_TRUE(is_gone_soon(second));
}

TEST_F(JanitorTest, LeavesAloneWhatOutlivesIt) {
  const Path file = top_.path() / "file";
  {
    const auto janitor = Janitor::watch(file);
    ASSERT_TRUE(janitor);
    ASSERT_TRUE(write_file(file, "text"));
  }
  ::usleep(100'000);
  EXPECT_TRUE(std::filesystem::exists(file));
}

TEST_F(JanitorTest, SaysWhyAFolderCannotBeMade) {
  const auto nowhere = Janitor::make_folder(top_.path() / "no" / "folder");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().kind, ErrorKind::not_found);

  const auto there = Janitor::make_folder(top_.path());
  ASSERT_FALSE(there);
  EXPECT_EQ(there.error().message,
            "creating scratch folder " + top_.path().string() + ": File exists");
  EXPECT_TRUE(std::filesystem::exists(top_.path()));
}

}  // namespace
}  // namespace nur
