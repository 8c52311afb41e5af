// Ways out of a directory, none of which leads anywhere.
//
// Each trick is a path that would name something outside if it were resolved naively. Every call
// that takes a path is tried with each; afterwards the outside must be what it was, and nothing of
// it may have been read.
#include <atomic>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <sys/stat.h>
#include <thread>
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
    // Twelve links, the last of which leads out; and one behind each of many directories.
    fs::create_symlink("rel-file", inside("chain-0"));
    for (int i = 1; i < 12; ++i) {
      fs::create_symlink("chain-" + std::to_string(i - 1), inside("chain-" + std::to_string(i)));
    }
    for (int i = 0; i < 60; ++i) {
      fs::create_directory_symlink(i == 0 ? "a" : "long-" + std::to_string(i - 1),
                                   inside("long-" + std::to_string(i)));
    }
    fs::create_directory_symlink("../../b/up3", inside("a/b/twice"));
    fs::create_directory_symlink("../../inside/../outside", inside("a/sideways"));
    fs::create_symlink("../../outside/new", inside("a/dangling"));
    fs::create_symlink("../outside/new/", inside("dangling-slash"));
    fs::create_symlink(outside("new"), inside("dangling-abs"));
    fs::create_symlink("dangling", inside("dangling-chain"));
    fs::create_directory_symlink("./", inside("dot"));
    fs::create_directory_symlink("a/b/../../..", inside("late"));
    fs::create_directory_symlink("//", inside("slashes"));
    fs::create_directory_symlink("/proc/self/cwd", inside("proc-cwd"));
    fs::create_symlink("/proc/self/exe", inside("proc-exe"));
    fs::create_directory_symlink("/proc/thread-self/root", inside("proc-thread"));
    fs::create_directory_symlink("/proc", inside("proc"));
    fs::create_directory_symlink("/dev/fd", inside("dev-fd"));
    fs::create_symlink("/dev/stdin", inside("dev-stdin"));
    fs::create_symlink("/dev/null", inside("dev-null"));
    fs::create_directory_symlink("..\\outside", inside("windows"));
    fs::create_symlink(" ../outside/secret.txt", inside("blank"));
    fs::create_directory_symlink("../inside", inside("back-in"));
    fs::create_directory_symlink(inside(), inside("myself-abs"));
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
        {"a chain of twelve links", "chain-11"},
        {"a chain of twelve links as a directory", "chain-11/"},
        {"the middle of the chain", "chain-5"},
        {"more links than the kernel follows", "long-59/../../outside/secret.txt"},
        {"many links, then up", "long-20/../../outside/secret.txt"},
        {"many links and a file below", "long-20/b/../../../outside/secret.txt"},
        {"link to a link far up", "a/b/twice/outside/secret.txt"},
        {"link that goes out and sideways", "a/sideways/secret.txt"},
        {"link that goes up late", "late/outside/secret.txt"},
        {"link that goes up late, with more", "late/inside/../outside/secret.txt"},
        {"dangling link below", "a/dangling"},
        {"dangling link with a slash", "dangling/"},
        {"dangling link to a directory", "dangling-slash"},
        {"absolute dangling link", "dangling-abs"},
        {"link to a dangling link", "dangling-chain"},
        {"below a dangling link", "dangling/below"},
        {"link to the dot, then up", "dot/../outside/secret.txt"},
        {"link to the dot many times", "dot/dot/dot/dot/../outside/secret.txt"},
        {"link to slashes", "slashes" + absolute},
        {"magic link to the working directory", "proc-cwd/secret.txt"},
        {"magic link to the program", "proc-exe"},
        {"magic link of the thread", "proc-thread" + absolute},
        {"/proc by link", "proc/self/root" + absolute},
        {"descriptors of this process by link", "proc/self/fd/0"},
        {"descriptors by their other name", "dev-fd/0"},
        {"standard input by link", "dev-stdin"},
        {"a device by link", "dev-null"},
        {"its own folder by absolute link", "myself-abs/../outside/secret.txt"},
        {"its own folder by absolute link, and no further", "myself-abs/a/file"},
        {"its own folder by a link through its parent", "back-in/a/file"},
        {"its own folder by a link, then up", "back-in/../outside/secret.txt"},
        {"link whose target begins with a blank", "blank"},
        {"link with backslashes", "windows\\secret.txt"},
        {"dots and blanks", " ../outside/secret.txt"},
        {"a blank behind the dots", ".. /outside/secret.txt"},
        {"three dots", ".../outside/secret.txt"},
        {"a dot behind the parent", "../."},
        {"the parent twice", "../.."},
        {"slashes around the parent", "///..///outside///secret.txt"},
        {"slashes alone", "////"},
        {"a slash and dots", "/../outside/secret.txt"},
        {"absolute through the parent of the root", "/.." + absolute},
        {"absolute with dots", "/./" + absolute},
        {"a file with a slash, then up", "a/file/../../outside/secret.txt"},
        {"a missing directory, then up", "missing/../../outside/secret.txt"},
        {"a missing directory, then up inside", "missing/../a/file"},
        {"dots at the end of a link", "rel/.."},
        {"dots at the end of a link, with a slash", "rel/../"},
        {"dots at the end of an absolute link", "abs/.."},
        {"link by link up", "up/up/outside/secret.txt"},
        {"link up and back in", "up/inside/../outside/secret.txt"},
        {"link up and back in to stay", "up/inside/a/file"},
        {"the neighbour by link up", "up/readonly/file"},
        {"the neighbour with a slash", "neighbour/"},
        {"the neighbour and back", "neighbour/../outside/secret.txt"},
        {"encoded twice", "%252e%252e/outside/secret.txt"},
        {"dots in another alphabet", "\xe2\x80\xa5/outside/secret.txt"},
        {"overlong dots", "\xc0\xae\xc0\xae/outside/secret.txt"},
        {"a line end before the dots", "\n../outside/secret.txt"},
        {"a line end behind the dots", "..\n/outside/secret.txt"},
        {"NUL behind the parent", std::string("../outside/secret.txt\0x", 23)},
        {"NUL in front", std::string("\0../outside/secret.txt", 22)},
        {"NUL alone", std::string("\0", 1)},
        {"a name as long as names are, then up",
         std::string(255, 'n') + "/../../outside/secret.txt"},
        {"a path as long as paths are",
         [] {
           std::string path;
           while (path.size() < 4095 - 21) path += "./";
           return (path + "../outside/secret.txt").substr(0, 4095);
         }()},
        {"as many slashes as a path holds", std::string(4000, '/') + "../outside/secret.txt"},
        {"a drive", "C:\\outside\\secret.txt"},
        {"a home", "~/secret.txt"},
        {"a home of root's", "~root/secret.txt"},
        {"a variable", "$HOME/secret.txt"},
        {"a pattern", "../*/secret.txt"},
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
  ASSERT_GE(tricks().size(), 110u);
  std::set<std::string> paths;
  for (const Trick& trick : tricks()) EXPECT_TRUE(paths.insert(trick.path).second) << trick.why;

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

TEST_F(WasiEscapeTest, NothingIsMadeThroughALinkToNothing) {
  for (const char* const path :
       {"dangling", "dangling-abs", "dangling-chain", "a/dangling", "dangling-slash"}) {
    for (const std::uint32_t lookup : {0U, 1U}) {
      for (const std::uint32_t more : {0U, wasi::open_flag::exclusive, wasi::open_flag::truncate}) {
        EXPECT_NE(
            guest_.open(kInside, path, wasi::open_flag::create | more, right::fd_write, lookup)
                .error,
            Errno::success)
            << path;
      }
    }
  }
  expect_untouched();
}

TEST_F(WasiEscapeTest, AHardLinkOfALinkIsTheLinkAndNotWhatItMeans) {
  ASSERT_EQ(guest_.link(kInside, "rel-file", kInside, "again"), Errno::success);
  EXPECT_TRUE(fs::is_symlink(inside("again")));
  EXPECT_EQ(guest_.open(kInside, "again", 0, right::fd_read).error, Errno::perm);
  EXPECT_EQ(guest_.link(kInside, "rel-file", kInside, "followed", 1), Errno::inval);
  expect_untouched();
}

// What an operator linked in is inside: there is no telling it from a file made there. But no guest
// can make one, whatever it has.
TEST_F(WasiEscapeTest, NoHardLinkIsMadeToWhatAReadOnlyPreopenHas) {
  write_text(readonly("file"), "kept");
  EXPECT_EQ(guest_.link(kReadonly, "file", kInside, "mine"), Errno::notcapable);
  EXPECT_EQ(guest_.link(kInside, "neighbour/file", kInside, "mine"), Errno::perm);
  EXPECT_EQ(guest_.rename(kReadonly, "file", kInside, "mine"), Errno::notcapable);
  EXPECT_EQ(guest_.rename(kInside, "a/file", kReadonly, "file"), Errno::notcapable);
  EXPECT_EQ(read_text(readonly("file")), "kept");
}

TEST_F(WasiEscapeTest, ANumberIsOfTheGuestsTableAndNotOfTheHost) {
  const Fd secret(::open(outside("secret.txt").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(secret.is_open());
  for (const std::uint64_t fd :
       {std::uint64_t{5}, static_cast<std::uint64_t>(secret.get()) + 40, std::uint64_t{63},
        std::uint64_t{64}, std::uint64_t{1000}, std::uint64_t{0xffffffff},
        std::uint64_t{0x80000000}, std::uint64_t{0xffffff9c} /* AT_FDCWD */}) {
    EXPECT_EQ(guest_.open(static_cast<std::uint32_t>(fd), "secret.txt", 0, right::fd_read).error,
              Errno::badf)
        << fd;
    EXPECT_EQ(guest_.stat(static_cast<std::uint32_t>(fd), "secret.txt"), Errno::badf) << fd;
  }
}

TEST_F(WasiEscapeTest, ANumberThatIsGivenAgainHasNothingOfTheOldOne) {
  const auto writable = guest_.open(kInside, "a/file", 0, right::fd_read | right::fd_write);
  ASSERT_EQ(writable.error, Errno::success);
  ASSERT_EQ(guest_.call("fd_close", {writable.fd}), Errno::success);
  write_text(readonly("file"), "kept");
  const auto reused = guest_.open(kReadonly, "file", 0, right::fd_read);
  ASSERT_EQ(reused.fd, writable.fd);
  EXPECT_EQ(guest_.write(reused.fd, "x"), Errno::notcapable);
  // A directory in the place of a preopen is not one, and leads no further.
  const auto below = guest_.open(kInside, "a/b", wasi::open_flag::directory);
  ASSERT_EQ(guest_.call("fd_renumber", {below.fd, kInside}), Errno::success);
  EXPECT_EQ(guest_.open(kInside, "../file", 0, right::fd_read).error, Errno::perm);
  EXPECT_EQ(guest_.call("fd_prestat_get", {kInside, guest_.room(8)}), Errno::badf);
  EXPECT_EQ(read_text(readonly("file")), "kept");
}

TEST_F(WasiEscapeTest, RightsNeverGrowOnTheWay) {
  fs::create_directories(readonly("d/e"));
  write_text(readonly("d/e/file"), "kept");
  const auto below = guest_.open(kReadonly, "d", wasi::open_flag::directory);
  ASSERT_EQ(below.error, Errno::success);
  const auto deeper = guest_.open(below.fd, "e", wasi::open_flag::directory);
  ASSERT_EQ(deeper.error, Errno::success);
  EXPECT_EQ(guest_.open(deeper.fd, "file", 0, right::fd_write).error, Errno::notcapable);
  EXPECT_EQ(guest_.open(deeper.fd, "new", wasi::open_flag::create, right::fd_read).error,
            Errno::notcapable);
  EXPECT_EQ(guest_.on_path("path_unlink_file", deeper.fd, "file"), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_fdstat_set_rights", {deeper.fd, ~0ULL, ~0ULL}), Errno::notcapable);
  EXPECT_EQ(read_text(readonly("d/e/file")), "kept");
}

TEST_F(WasiEscapeTest, NoCookieListsAnotherDirectory) {
  const std::uint32_t used = guest_.room(4);
  const std::uint32_t room = guest_.room(4096);
  for (const std::uint64_t cookie :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, std::uint64_t{1000},
        std::uint64_t{0x7fffffff}, std::uint64_t{0x80000000}, std::uint64_t{0x7fffffffffffffff},
        std::uint64_t{0x8000000000000000}, ~std::uint64_t{0}}) {
    if (guest_.call("fd_readdir", {kInside, room, 4096, cookie, used}) != Errno::success) continue;
    const std::string list = guest_.text(room, guest_.value<std::uint32_t>(used));
    EXPECT_EQ(list.find("secret.txt"), std::string::npos) << cookie;
    EXPECT_EQ(list.find("readonly"), std::string::npos) << cookie;
  }
  // A cookie of one directory, given to another.
  const auto below = guest_.open(kInside, "a", wasi::open_flag::directory);
  ASSERT_EQ(below.error, Errno::success);
  guest_.call("fd_readdir", {kInside, room, 4096, 0, used});
  const auto cookie = guest_.value<std::uint64_t>(room);
  if (guest_.call("fd_readdir", {below.fd, room, 4096, cookie, used}) == Errno::success) {
    EXPECT_EQ(guest_.text(room, guest_.value<std::uint32_t>(used)).find("rel-file"),
              std::string::npos);
  }
}

// "..", seen from below, has the number of the directory itself.
TEST_F(WasiEscapeTest, AListDoesNotTellTheNumberOfTheParent) {
  struct stat outer {};
  ASSERT_EQ(::stat(top_.path().c_str(), &outer), 0);
  const std::uint32_t used = guest_.room(4);
  const std::uint32_t room = guest_.room(4096);
  ASSERT_EQ(guest_.call("fd_readdir", {kInside, room, 4096, 0, used}), Errno::success);
  const std::uint32_t end = room + guest_.value<std::uint32_t>(used);
  bool seen = false;
  for (std::uint32_t at = room; at < end;) {
    const auto entry = guest_.value<wasi::DirectoryEntry>(at);
    at += sizeof entry;
    if (guest_.text(at, entry.name_bytes) == "..") {
      seen = true;
      EXPECT_NE(entry.inode, outer.st_ino);
    }
    at += entry.name_bytes;
  }
  EXPECT_TRUE(seen);
}

TEST_F(WasiEscapeTest, ADirectoryThatIsMovedOutLeadsNoFurtherThanItself) {
  const auto below = guest_.open(kInside, "a/b", wasi::open_flag::directory);
  ASSERT_EQ(below.error, Errno::success);
  fs::rename(inside("a/b"), outside("moved"));
  EXPECT_EQ(guest_.open(below.fd, "../secret.txt", 0, right::fd_read).error, Errno::perm);
  EXPECT_EQ(guest_.open(below.fd, "c/../../secret.txt", 0, right::fd_read).error, Errno::perm);
  EXPECT_EQ(guest_.open(below.fd, "up3/outside/secret.txt", 0, right::fd_read).error, Errno::perm);
  EXPECT_EQ(guest_.symlink("../secret.txt", below.fd, "link"), Errno::perm);
  fs::remove_all(outside("moved"));
  expect_untouched();
}

// Somebody else changes what names mean while they are resolved. Whenever it is looked at, a guest
// has what is inside or an error.
class WasiRaceTest : public WasiEscapeTest {
 protected:
  // Has `attack` run against `swap` for so many turns of `attack`.
  void race(const std::function<void()>& swap, const std::function<void()>& attack) {
    std::atomic<bool> over = false;
    std::thread other([&] {
      while (!over) swap();
    });
    for (int turn = 0; turn < 3000; ++turn) attack();
    over = true;
    other.join();
    expect_untouched();
  }
  static void exchange(const Path& a, const Path& b) {
    ::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE);
  }
  void expect_no_secret(std::string_view path) {
    const auto opened = guest_.open(kInside, path, 0, right::fd_read);
    if (opened.error != Errno::success) return;
    EXPECT_EQ(guest_.read(opened.fd).find(kSecret), std::string::npos);
    EXPECT_EQ(guest_.call("fd_close", {opened.fd}), Errno::success);
  }
};

TEST_F(WasiRaceTest, ADirectoryBecomesALinkWhileAFileInItIsOpened) {
  fs::create_directory(inside("turn"));
  write_text(inside("turn/secret.txt"), "inside");
  fs::create_directory_symlink("../outside", inside("turn-link"));
  race([&] { exchange(inside("turn"), inside("turn-link")); },
       [&] { expect_no_secret("turn/secret.txt"); });
}
TEST_F(WasiRaceTest, AFileBecomesALinkWhileItIsOpened) {
  write_text(inside("turn"), "inside");
  fs::create_symlink(outside("secret.txt"), inside("turn-link"));
  race([&] { exchange(inside("turn"), inside("turn-link")); }, [&] { expect_no_secret("turn"); });
}
TEST_F(WasiRaceTest, ADirectoryMovesWhileItsParentIsAskedFor) {
  fs::create_directories(inside("deep/er"));
  fs::create_directories(inside("flat"));
  race(
      [&] {
        ::rename(inside("deep/er").c_str(), inside("flat/er").c_str());
        ::rename(inside("flat/er").c_str(), inside("deep/er").c_str());
      },
      [&] {
        expect_no_secret("deep/er/../../../outside/secret.txt");
        expect_no_secret("deep/er/../../outside/secret.txt");
      });
}
TEST_F(WasiRaceTest, ADirectoryBecomesALinkWhileThingsInItAreMadeAndRemoved) {
  fs::create_directory(inside("turn"));
  fs::create_directory_symlink("../outside", inside("turn-link"));
  race([&] { exchange(inside("turn"), inside("turn-link")); },
       [&] {
         guest_.on_path("path_create_directory", kInside, "turn/d");
         guest_.on_path("path_remove_directory", kInside, "turn/d");
         guest_.on_path("path_unlink_file", kInside, "turn/secret.txt");
         guest_.symlink("x", kInside, "turn/link");
         guest_.on_path("path_unlink_file", kInside, "turn/link");
         guest_.rename(kInside, "turn/secret.txt", kInside, "taken");
         guest_.link(kInside, "turn/secret.txt", kInside, "taken");
         const auto made =
             guest_.open(kInside, "turn/new", wasi::open_flag::create, right::fd_write);
         if (made.error == Errno::success) guest_.call("fd_close", {made.fd});
         guest_.on_path("path_unlink_file", kInside, "turn/new");
       });
  EXPECT_FALSE(fs::exists(inside("taken")));
}
TEST_F(WasiRaceTest, ADirectoryIsMovedOutWhileItIsWorkedIn) {
  fs::create_directories(inside("gone/d"));
  const auto below = guest_.open(kInside, "gone", wasi::open_flag::directory);
  ASSERT_EQ(below.error, Errno::success);
  race(
      [&] {
        ::rename(inside("gone").c_str(), (top_.path() / "readonly/gone").c_str());
        ::rename((top_.path() / "readonly/gone").c_str(), inside("gone").c_str());
      },
      [&] {
        EXPECT_NE(guest_.open(below.fd, "d/../../../outside/secret.txt", 0, right::fd_read).error,
                  Errno::success);
        EXPECT_NE(guest_.open(below.fd, "../../outside/secret.txt", 0, right::fd_read).error,
                  Errno::success);
        EXPECT_NE(guest_.symlink("../../outside", below.fd, "d/link"), Errno::success);
      });
}

}  // namespace
}  // namespace nur
