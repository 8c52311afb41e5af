// Behind confine_to_directories() no path leads to another file, not even to one that the process
// could open before: each attack is made by a child that has confined itself.
#include "host/process/privileges.h"

#include <cerrno>
#include <fcntl.h>
#include <functional>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace nur {
namespace {

class ConfinementTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* const name : {"read", "write", "other"}) {
      std::filesystem::create_directory(folder_.path() / name);
      ASSERT_TRUE(write_file(folder_.path() / name / "file", "x"));
    }
  }
  [[nodiscard]] std::string path(std::string_view name) const {
    return (folder_.path() / name).string();
  }
  // What `attack` returns in a confined process, as its exit code; nullopt when this kernel cannot
  // confine.
  std::optional<int> confined(const std::function<bool()>& attack) {
    std::vector<Preopen> directories;
    directories.push_back(*Preopen::open(folder_.path() / "read", "/read", false));
    directories.push_back(*Preopen::open(folder_.path() / "write", "/write", true));
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      if (!confine_to_directories(directories)) ::_exit(77);
      ::_exit(attack() ? 1 : 0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) return std::nullopt;
    return WEXITSTATUS(status);
  }
  static bool can_open(const std::string& file, int flags) {
    return Fd(::open(file.c_str(), flags | O_CLOEXEC, 0666)).is_open();
  }

  ScratchDir folder_ = *ScratchDir::create("nur-confined-");
};

// Whether `attack` succeeds, or the test is skipped.
#define EXPECT_CONFINED(expected, attack)                                    \
  do {                                                                       \
    const std::optional<int> succeeded = confined([&] { return (attack); }); \
    if (!succeeded) GTEST_SKIP() << "no Landlock here";                      \
    EXPECT_EQ(*succeeded, (expected) ? 1 : 0) << #attack;                    \
  } while (false)

TEST_F(ConfinementTest, LeavesTheDirectories) {
  EXPECT_CONFINED(true, can_open(path("read/file"), O_RDONLY));
  EXPECT_CONFINED(true, can_open(path("write/file"), O_RDWR));
  EXPECT_CONFINED(true, can_open(path("write/new"), O_WRONLY | O_CREAT | O_EXCL));
  EXPECT_CONFINED(true, ::mkdir(path("write/d").c_str(), 0777) == 0);
  EXPECT_CONFINED(true, ::rename(path("write/new").c_str(), path("write/d/new").c_str()) == 0);
  EXPECT_CONFINED(true, ::symlink("file", path("write/link").c_str()) == 0);
  EXPECT_CONFINED(true, ::unlink(path("write/link").c_str()) == 0);
}
TEST_F(ConfinementTest, RefusesToReadAnotherFile) {
  EXPECT_CONFINED(false, can_open(path("other/file"), O_RDONLY));
  EXPECT_CONFINED(false, can_open("/etc/passwd", O_RDONLY));
  EXPECT_CONFINED(false, can_open("/proc/self/maps", O_RDONLY));
}
TEST_F(ConfinementTest, RefusesToListAnotherDirectory) {
  EXPECT_CONFINED(false, can_open(path("other"), O_RDONLY | O_DIRECTORY));
  EXPECT_CONFINED(false, can_open("/", O_RDONLY | O_DIRECTORY));
}
TEST_F(ConfinementTest, RefusesToWriteWhereItMayRead) {
  EXPECT_CONFINED(false, can_open(path("read/file"), O_WRONLY));
  EXPECT_CONFINED(false, can_open(path("read/new"), O_WRONLY | O_CREAT));
  EXPECT_CONFINED(false, ::mkdir(path("read/d").c_str(), 0777) == 0);
  EXPECT_CONFINED(false, ::unlink(path("read/file").c_str()) == 0);
  EXPECT_CONFINED(false, ::rename(path("read/file").c_str(), path("write/gone").c_str()) == 0);
}
TEST_F(ConfinementTest, RefusesToMoveFilesInFromOutside) {
  EXPECT_CONFINED(false, ::rename(path("other/file").c_str(), path("write/in").c_str()) == 0);
  EXPECT_CONFINED(false, ::link(path("other/file").c_str(), path("write/in").c_str()) == 0);
}
TEST_F(ConfinementTest, RefusesToFollowALinkToAnotherFile) {
  std::filesystem::create_symlink(path("other/file"), path("write/way-out"));
  EXPECT_CONFINED(false, can_open(path("write/way-out"), O_RDONLY));
}
TEST_F(ConfinementTest, RefusesToMakePipesAndSockets) {
  EXPECT_CONFINED(false, ::mkfifo(path("write/pipe").c_str(), 0666) == 0);
}

}  // namespace
}  // namespace nur
