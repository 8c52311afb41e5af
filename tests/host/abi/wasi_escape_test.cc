// Ways out of a directory, none of which leads anywhere.
//
// Each trick is a path that would name something outside if it were resolved naively. Every call
// that takes a path is tried with each; afterwards the outside must be what it was, and nothing of
// it may have been read.
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "tests/host/abi/fake_guest.h"

namespace nur {
namespace {

namespace fs = std::filesystem;
namespace right = wasi::right;
using wasi::Errno;

struct Trick {
  std::string why;
  std::string path;
};

class WasiEscapeTest : public WithFolders {
 protected:
  WasiEscapeTest() : guest_(with_directories()) {
    fs::create_directories(inside("a/b/c"));
    write_text(inside("a/file"), "inside");
    // What an operator or another program may have left there; guests cannot make most of these.
    fs::create_directory_symlink(outside(), inside("abs"));
    fs::create_directory_symlink("../outside", inside("rel"));
    fs::create_symlink(outside("secret.txt"), inside("abs-file"));
    fs::create_symlink("../outside/secret.txt", inside("rel-file"));
    fs::create_directory_symlink("..", inside("up"));
    fs::create_directory_symlink("../../..", inside("a/b/up3"));
    fs::create_directory_symlink("/", inside("root"));
    fs::create_directory_symlink(".", inside("self"));
    fs::create_symlink("loop", inside("loop"));
    fs::create_symlink("loop-b", inside("loop-a"));
    fs::create_symlink("loop-a", inside("loop-b"));
    fs::create_symlink("rel-file", inside("chain"));
    fs::create_symlink("../outside/new", inside("dangling"));
    fs::create_symlink("a/../../outside/secret.txt", inside("through"));
    fs::create_directory_symlink("/proc/self/root", inside("proc-root"));
    fs::create_directory_symlink("/proc/self/fd", inside("proc-fd"));
    fs::create_symlink("../readonly", inside("neighbour"));
  }

  [[nodiscard]] std::vector<Trick> tricks() const {
    const std::string absolute = outside("secret.txt").string();
    return {
        {"parent", "../outside/secret.txt"},
        {"parent behind a component", "a/../../outside/secret.txt"},
        {"parent behind dots", "./.././outside/secret.txt"},
        {"parent behind slashes", "a//..//../outside//secret.txt"},
        {"parents beyond the depth", "a/b/c/../../../../outside/secret.txt"},
        {"many parents", "../../../../../../../../../../../../etc/passwd"},
        {"down, up and out by name", "../inside/../outside/secret.txt"},
        {"back in through the parent", "../inside/a/file"},
        {"absolute", absolute},
        {"absolute with more slashes", "//" + absolute},
        {"root", "/"},
        {"only the parent", ".."},
        {"the parent with a slash", "../"},
        {"the parent at the end", "a/../.."},
        {"the parent at the end with a slash", "a/../../"},
        {"absolute link to a directory", "abs/secret.txt"},
        {"relative link to a directory", "rel/secret.txt"},
        {"absolute link to a file", "abs-file"},
        {"relative link to a file", "rel-file"},
        {"link to the parent", "up/outside/secret.txt"},
        {"link far up", "a/b/up3/outside/secret.txt"},
        {"link to the root", "root" + absolute},
        {"link to itself, then up", "self/self/self/../outside/secret.txt"},
        {"link with a slash", "rel/"},
        {"absolute link with a slash", "abs/"},
        {"link with a slash and a dot", "rel/."},
        {"link, then its parent", "rel/../outside/secret.txt"},
        {"link loop", "loop"},
        {"link loop as a directory", "loop/secret.txt"},
        {"link loop of two", "loop-a"},
        {"link to a link", "chain"},
        {"link whose target goes up late", "through"},
        {"link to nothing outside", "dangling"},
        {"magic link to the root", "proc-root" + absolute},
        {"magic links of descriptors", "proc-fd/0"},
        {"/proc itself", "/proc/self/root" + absolute},
        {"another preopen by link", "neighbour/file"},
        {"another preopen by name", "../readonly/file"},
        {"NUL inside", std::string("a/file\0/../../../outside/secret.txt", 34)},
        {"NUL at the end", std::string("rel-file\0", 9)},
        {"too long for the kernel", std::string(5000, 'a')},
        {"too long by dots",
         [] {
           std::string path;
           for (int i = 0; i < 1500; ++i) path += "a/../";
           return path + "../outside/secret.txt";
         }()},
        {"long but allowed, and out",
         [] {
           std::string path;
           for (int i = 0; i < 700; ++i) path += "a/../";
           return path + "../outside/secret.txt";
         }()},
        {"a name longer than names can be", std::string(300, 'x') + "/../../outside/secret.txt"},
        {"empty", ""},
        {"backslashes", "..\\outside\\secret.txt"},
        {"encoded", "%2e%2e/outside/secret.txt"},
        {"file as a directory", "a/file/../../../outside/secret.txt"},
    };
  }

  // The outside and the neighbour as they were made.
  void expect_untouched() {
    EXPECT_EQ(read_text(outside("secret.txt")), kSecret);
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(outside())) {
      names.push_back(entry.path().filename());
    }
    EXPECT_EQ(names, std::vector<std::string>{"secret.txt"});
    EXPECT_EQ(fs::hard_link_count(outside("secret.txt")), 1u);
    EXPECT_EQ(fs::last_write_time(outside("secret.txt")), secret_written_);
    std::size_t beside = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(top_.path())) ++beside;
    EXPECT_EQ(beside, 3u);
    EXPECT_TRUE(fs::is_empty(readonly()));
  }

  FakeGuest guest_;
  fs::file_time_type secret_written_ = fs::last_write_time(outside("secret.txt"));
};

TEST_F(WasiEscapeTest, NoTrickOpensWhatIsOutside) {
  ASSERT_GE(tricks().size(), 30u);
  for (const Trick& trick : tricks()) {
    for (const std::uint32_t lookup : {0u, 1u}) {
      for (const std::uint32_t oflags :
           {0u, wasi::open_flag::create, wasi::open_flag::directory, wasi::open_flag::truncate,
            wasi::open_flag::create | wasi::open_flag::truncate}) {
        const auto opened = guest_.open(kInside, trick.path, oflags, right::fd_read, lookup);
        if (opened.error != Errno::success) continue;
        // Only harmless names get here: what they name must lie inside.
        const std::uint32_t fd = opened.fd;
        EXPECT_EQ(guest_.read(fd).find(kSecret), std::string::npos) << trick.why;
        const int host = (*guest_.process().files().find(fd))->host->get();
        const std::string real = fs::read_symlink("/proc/self/fd/" + std::to_string(host));
        EXPECT_TRUE(real.starts_with(fs::canonical(inside()).string())) << trick.why << " " << real;
        EXPECT_EQ(guest_.call("fd_close", {fd}), Errno::success);
      }
    }
  }
  expect_untouched();
}

TEST_F(WasiEscapeTest, NoTrickTellsAboutWhatIsOutside) {
  for (const Trick& trick : tricks()) {
    for (const std::uint32_t lookup : {0u, 1u}) {
      wasi::FileStat status;
      if (guest_.stat(kInside, trick.path, lookup, &status) != Errno::success) continue;
      EXPECT_EQ(status.type, wasi::FileType::symbolic_link) << trick.why;
      EXPECT_EQ(lookup, 0u) << trick.why;
    }
    const auto target = guest_.readlink(kInside, trick.path);
    EXPECT_FALSE(target.value_or("").starts_with("/")) << trick.why;
  }
  expect_untouched();
}

TEST_F(WasiEscapeTest, NoTrickChangesWhatIsOutside) {
  for (const Trick& trick : tricks()) {
    guest_.on_path("path_create_directory", kInside, trick.path);
    guest_.on_path("path_create_directory", kInside, trick.path + "/new");
    guest_.symlink("a/file", kInside, trick.path);
    guest_.symlink("a/file", kInside, trick.path + "/new");
    guest_.link(kInside, "a/file", kInside, trick.path);
    guest_.link(kInside, "a/file", kInside, trick.path + "/new");
    guest_.call("path_filestat_set_times",
                {kInside, 1, guest_.put(trick.path), trick.path.size(), 5, 5, 1 | 4});
    expect_untouched();
  }
}

TEST_F(WasiEscapeTest, NoTrickTakesWhatIsOutside) {
  for (const Trick& trick : tricks()) {
    guest_.link(kInside, trick.path, kInside, "taken");
    // A link of a link is no more than that; a file must be one of those inside.
    if (fs::is_regular_file(fs::symlink_status(inside("taken")))) {
      EXPECT_EQ(read_text(inside("taken")), "inside") << trick.why;
    }
    EXPECT_EQ(guest_.read(guest_.open(kInside, "taken", 0, right::fd_read).fd).find(kSecret),
              std::string::npos)
        << trick.why;
    guest_.on_path("path_unlink_file", kInside, "taken");
    expect_untouched();
  }
}

TEST_F(WasiEscapeTest, NoTrickMovesOrRemovesWhatIsOutside) {
  for (const Trick& trick : tricks()) {
    guest_.rename(kInside, "a/file", kInside, trick.path);
    write_text(inside("a/file"), "inside");
    guest_.rename(kInside, trick.path, kInside, "a/b/moved");
    guest_.rename(kInside, trick.path + "/secret.txt", kInside, "a/b/moved");
    guest_.on_path("path_unlink_file", kInside, trick.path);
    guest_.on_path("path_unlink_file", kInside, trick.path + "/secret.txt");
    guest_.on_path("path_remove_directory", kInside, trick.path);
    guest_.on_path("path_remove_directory", kInside, trick.path + "/");
    expect_untouched();
  }
}

TEST_F(WasiEscapeTest, PathsThatLeadOutAreNotPermitted) {
  for (const char* path : {"../outside/secret.txt", "a/../../outside/secret.txt", "..", "/etc",
                           "abs/secret.txt", "rel/secret.txt", "up/outside", "root/etc"}) {
    EXPECT_EQ(guest_.open(kInside, path, 0, right::fd_read).error, Errno::perm) << path;
    EXPECT_EQ(guest_.stat(kInside, path, 1), Errno::perm) << path;
  }
  EXPECT_EQ(guest_.open(kInside, "loop", 0, right::fd_read).error, Errno::loop);
  EXPECT_EQ(guest_.stat(kInside, std::string("a\0b", 3)), Errno::inval);
  EXPECT_EQ(guest_.stat(kInside, std::string(4096, 'a')), Errno::nametoolong);
}

TEST_F(WasiEscapeTest, TheParentIsNoNameToMakeOrRemove) {
  for (const char* path : {"..", "../", "a/..", "a/b/../..//"}) {
    EXPECT_EQ(guest_.on_path("path_create_directory", kInside, path), Errno::perm) << path;
    EXPECT_EQ(guest_.on_path("path_remove_directory", kInside, path), Errno::perm) << path;
    EXPECT_EQ(guest_.on_path("path_unlink_file", kInside, path), Errno::perm) << path;
    EXPECT_EQ(guest_.rename(kInside, path, kInside, "x"), Errno::perm) << path;
    EXPECT_EQ(guest_.rename(kInside, "a/file", kInside, path), Errno::perm) << path;
    EXPECT_EQ(guest_.link(kInside, path, kInside, "x"), Errno::perm) << path;
    EXPECT_EQ(guest_.symlink("a/file", kInside, path), Errno::perm) << path;
    EXPECT_EQ(guest_.readlink(kInside, path).error(), Errno::perm) << path;
  }
}

TEST_F(WasiEscapeTest, ADirectoryOpenedBelowIsAsTight) {
  const auto below = guest_.open(kInside, "a/b", wasi::open_flag::directory);
  ASSERT_EQ(below.error, Errno::success);

  // Inside the preopen, but above this directory.
  EXPECT_EQ(guest_.open(below.fd, "../file", 0, right::fd_read).error, Errno::perm);
  EXPECT_EQ(guest_.open(below.fd, "..", 0, right::fd_read).error, Errno::perm);
  EXPECT_EQ(guest_.open(below.fd, "up3/outside/secret.txt", 0, right::fd_read).error, Errno::perm);
  EXPECT_EQ(guest_.symlink("../file", below.fd, "link"), Errno::perm);
}

TEST_F(WasiEscapeTest, LinksThatLeadOutAreNotMade) {
  fs::create_directory(inside("self2"));
  for (const auto& [target, at] : std::vector<std::pair<std::string, std::string>>{
           {"/etc/passwd", "link"},
           {"/", "link"},
           {"..", "link"},
           {"../outside", "link"},
           {"./../outside", "link"},
           {".//..//outside", "link"},
           {"../../..", "a/b/link"},
           {"../../../outside", "a/b/link"},
           // The path looks three deep and is not.
           {"../../../outside", "self/self/self/link"},
           // What "a" is when the link is followed, nobody knows now.
           {"a/../..", "link"},
           {"a/../file", "link"},
           {"self/../outside", "a/link"},
       }) {
    EXPECT_EQ(guest_.symlink(target, kInside, at), Errno::perm) << target << " at " << at;
    EXPECT_FALSE(fs::is_symlink(inside(at))) << target << " at " << at;
  }
}

TEST_F(WasiEscapeTest, LinksThatStayInsideAreMade) {
  int number = 0;
  for (const auto& [target, at] : std::vector<std::pair<std::string, std::string>>{
           {"a/file", ""},
           {"./a/file", ""},
           {"nowhere yet", ""},
           {"...", ""},
           {"..hidden", ""},
           {"../file", "a/b/"},
           {"../..", "a/b/"},
           {"../../../a", "a/b/c/"},
       }) {
    const std::string path = at + "link" + std::to_string(++number);
    EXPECT_EQ(guest_.symlink(target, kInside, path), Errno::success) << target << " at " << path;
  }
}

TEST_F(WasiEscapeTest, AFileMovesBetweenWritablePreopensOnlyByRight) {
  WasiOptions options;
  options.preopens.push_back(Preopen::open(inside("a"), "/a", true).value());
  options.preopens.push_back(Preopen::open(readonly(), "/b", true).value());
  FakeGuest guest(std::move(options));

  EXPECT_EQ(guest.rename(3, "../rel-file", 4, "x"), Errno::perm);
  EXPECT_EQ(guest.rename(3, "file", 4, "../outside/x"), Errno::perm);
  EXPECT_EQ(guest.link(3, "file", 4, "../outside/x"), Errno::perm);
  EXPECT_EQ(guest.rename(3, "file", 4, "file"), Errno::success);
  EXPECT_EQ(read_text(readonly("file")), "inside");
  EXPECT_EQ(read_text(outside("secret.txt")), kSecret);
}

TEST_F(WasiEscapeTest, ProcHandedOutKeepsItsMagicLinksToItself) {
  WasiOptions options;
  options.preopens.push_back(Preopen::open("/proc/self", "/proc", false).value());
  FakeGuest guest(std::move(options));

  EXPECT_EQ(guest.open(3, "root/etc/passwd", 0, right::fd_read).error, Errno::loop);
  EXPECT_EQ(guest.open(3, "cwd", wasi::open_flag::directory).error, Errno::loop);
  EXPECT_EQ(guest.open(3, "fd/0", 0, right::fd_read).error, Errno::loop);
  EXPECT_EQ(guest.open(3, "exe", 0, right::fd_read).error, Errno::loop);
}

TEST_F(WasiEscapeTest, WhatIsMountedInsideIsOutside) {
  WasiOptions options;
  options.preopens.push_back(Preopen::open("/", "/", false).value());
  FakeGuest guest(std::move(options));

  EXPECT_EQ(guest.open(3, "proc/self/status", 0, right::fd_read).error, Errno::perm);
}

}  // namespace
}  // namespace nur
