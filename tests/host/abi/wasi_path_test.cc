// Directories and paths as a well-meaning guest uses them, and what it is refused.
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "tests/host/abi/fake_guest.h"

namespace nur {
namespace {

namespace fs = std::filesystem;
namespace right = wasi::right;
using wasi::Errno;
using Names = std::vector<std::string>;

class WasiPathTest : public WithFolders {
 protected:
  WasiPathTest() : guest_(with_directories()) {}
  FakeGuest guest_;
};

TEST_F(WasiPathTest, PreopensTellTheirNames) {
  const std::uint32_t place = guest_.room(16);

  ASSERT_EQ(guest_.call("fd_prestat_get", {kReadonly, place}), Errno::success);
  EXPECT_EQ(guest_.value<wasi::Prestat>(place).tag, 0);
  EXPECT_EQ(guest_.value<wasi::Prestat>(place).name_bytes, 9u);
  ASSERT_EQ(guest_.call("fd_prestat_dir_name", {kReadonly, place, 12}), Errno::success);
  EXPECT_EQ(guest_.text(place, 9), "/readonly");
  EXPECT_EQ(guest_.call("fd_prestat_dir_name", {kReadonly, place, 8}), Errno::nametoolong);
  EXPECT_EQ(guest_.call("fd_prestat_get", {0, place}), Errno::badf);
  EXPECT_EQ(guest_.call("fd_prestat_get", {5, place}), Errno::badf);
  EXPECT_EQ(guest_.call("fd_prestat_dir_name", {5, place, 8}), Errno::badf);
}

TEST_F(WasiPathTest, MakesListsAndRemovesDirectories) {
  EXPECT_EQ(guest_.on_path("path_create_directory", kInside, "a"), Errno::success);
  EXPECT_EQ(guest_.on_path("path_create_directory", kInside, "a/b/"), Errno::success);
  EXPECT_EQ(guest_.on_path("path_create_directory", kInside, "a"), Errno::exist);
  EXPECT_EQ(guest_.on_path("path_create_directory", kInside, "none/b"), Errno::noent);
  EXPECT_EQ(guest_.on_path("path_create_directory", kInside, ""), Errno::noent);
  EXPECT_EQ(guest_.list(kInside), Names{"a"});
  EXPECT_EQ(guest_.on_path("path_remove_directory", kInside, "a"), Errno::notempty);
  EXPECT_EQ(guest_.on_path("path_remove_directory", kInside, "a/b"), Errno::success);
  EXPECT_EQ(guest_.on_path("path_remove_directory", kInside, "a/"), Errno::success);
  EXPECT_EQ(guest_.on_path("path_remove_directory", kInside, "a"), Errno::noent);
}

TEST_F(WasiPathTest, RemovingAsksForTheRightKind) {
  write_text(inside("file"), "");
  fs::create_directory(inside("directory"));
  fs::create_symlink("directory", inside("link"));

  EXPECT_EQ(guest_.on_path("path_unlink_file", kInside, "directory"), Errno::isdir);
  EXPECT_EQ(guest_.on_path("path_unlink_file", kInside, "directory/"), Errno::isdir);
  EXPECT_EQ(guest_.on_path("path_unlink_file", kInside, "file/"), Errno::notdir);
  EXPECT_EQ(guest_.on_path("path_unlink_file", kInside, "link/"), Errno::notdir);
  EXPECT_EQ(guest_.on_path("path_remove_directory", kInside, "file"), Errno::notdir);
  EXPECT_EQ(guest_.on_path("path_remove_directory", kInside, "link"), Errno::notdir);
  EXPECT_EQ(guest_.on_path("path_remove_directory", kInside, "link/"), Errno::notdir);
  EXPECT_EQ(guest_.on_path("path_unlink_file", kInside, "none"), Errno::noent);
  EXPECT_EQ(guest_.on_path("path_unlink_file", kInside, "link"), Errno::success);
  EXPECT_EQ(guest_.on_path("path_unlink_file", kInside, "file"), Errno::success);
  EXPECT_EQ(guest_.list(kInside), Names{"directory"});
}

TEST_F(WasiPathTest, ListsInPiecesOfAnySize) {
  std::set<std::string> expected = {".", ".."};
  for (int i = 0; i < 40; ++i) {
    const std::string name = "file-number-" + std::to_string(i);
    write_text(inside(name), "");
    expected.insert(name);
  }
  for (const std::uint32_t bytes : {64u, 100u, 333u, 5000u}) {
    std::set<std::string> seen;
    std::uint64_t cookie = 0;
    const std::uint32_t buffer = guest_.room(bytes);
    const std::uint32_t used_at = guest_.room(4);
    for (int calls = 0; calls < 200; ++calls) {
      ASSERT_EQ(guest_.call("fd_readdir", {kInside, buffer, bytes, cookie, used_at}),
                Errno::success);
      const auto used = guest_.value<std::uint32_t>(used_at);
      ASSERT_LE(used, bytes);
      std::uint32_t at = 0;
      while (at + sizeof(wasi::DirectoryEntry) <= used) {
        const auto entry = guest_.value<wasi::DirectoryEntry>(buffer + at);
        const std::uint32_t end = at + std::uint32_t{sizeof(entry)} + entry.name_bytes;
        if (end > used) break;
        seen.insert(guest_.text(buffer + at + std::uint32_t{sizeof(entry)}, entry.name_bytes));
        cookie = entry.next;
        at = end;
      }
      if (used < bytes) break;
    }
    EXPECT_EQ(seen, expected) << bytes;
  }
}

TEST_F(WasiPathTest, ListsTypesAndTellsNothingOfTheParent) {
  fs::create_directory(inside("directory"));
  write_text(inside("file"), "");
  fs::create_symlink("file", inside("link"));
  struct stat above;
  ASSERT_EQ(::stat(top_.path().c_str(), &above), 0);
  const std::uint32_t buffer = guest_.room(4096);
  const std::uint32_t used_at = guest_.room(4);
  ASSERT_EQ(guest_.call("fd_readdir", {kInside, buffer, 4096, 0, used_at}), Errno::success);

  std::map<std::string, wasi::FileType> types;
  for (std::uint32_t at = 0; at < guest_.value<std::uint32_t>(used_at);) {
    const auto entry = guest_.value<wasi::DirectoryEntry>(buffer + at);
    const std::string name =
        guest_.text(buffer + at + std::uint32_t{sizeof(entry)}, entry.name_bytes);
    at += std::uint32_t{sizeof(entry)} + entry.name_bytes;
    EXPECT_NE(entry.inode, above.st_ino) << name;
    types[name] = entry.type;
  }
  EXPECT_EQ(types.size(), 5u);
  EXPECT_EQ(types["file"], wasi::FileType::regular_file);
  EXPECT_EQ(types["link"], wasi::FileType::symbolic_link);
  EXPECT_EQ(types["directory"], wasi::FileType::directory);
}

TEST_F(WasiPathTest, ListingIsForDirectoriesAndValidCookies) {
  const std::uint32_t fd = guest_.open(kInside, "file", wasi::open_flag::create).fd;
  const std::uint32_t place = guest_.room(64);

  EXPECT_EQ(guest_.call("fd_readdir", {fd, place, 32, 0, place}), Errno::notdir);
  EXPECT_EQ(guest_.call("fd_readdir", {1, place, 32, 0, place}), Errno::notdir);
  EXPECT_EQ(guest_.call("fd_readdir", {kInside, place, 32, ~std::uint64_t{0}, place}),
            Errno::inval);
}

TEST_F(WasiPathTest, OpensAndCreatesAsAsked) {
  EXPECT_EQ(guest_.open(kInside, "file").error, Errno::noent);
  const auto made =
      guest_.open(kInside, "file", wasi::open_flag::create | wasi::open_flag::exclusive);
  EXPECT_EQ(made.error, Errno::success);
  EXPECT_EQ(guest_.write(made.fd, "content"), Errno::success);
  EXPECT_EQ(
      guest_.open(kInside, "file", wasi::open_flag::create | wasi::open_flag::exclusive).error,
      Errno::exist);
  EXPECT_EQ(guest_.read(guest_.open(kInside, "file").fd), "content");
  EXPECT_EQ(guest_.open(kInside, "file", wasi::open_flag::truncate).error, Errno::success);
  EXPECT_EQ(read_text(inside("file")), "");
  EXPECT_EQ(guest_.open(kInside, "file", wasi::open_flag::directory).error, Errno::notdir);
  EXPECT_EQ(guest_.open(kInside, "file/").error, Errno::notdir);
  EXPECT_EQ(guest_.open(kInside, "file///").error, Errno::notdir);
  EXPECT_EQ(guest_.open(kInside, "").error, Errno::noent);
}

TEST_F(WasiPathTest, OpensDirectoriesWithTheRightsHandedDown) {
  fs::create_directories(inside("a/b"));
  write_text(inside("a/b/file"), "deep");

  const auto a = guest_.open(kInside, "a/", wasi::open_flag::directory);
  ASSERT_EQ(a.error, Errno::success);
  const auto file = guest_.open(a.fd, "b/.//../b/file");
  ASSERT_EQ(file.error, Errno::success);
  EXPECT_EQ(guest_.read(file.fd), "deep");
  EXPECT_EQ(guest_.on_path("path_create_directory", a.fd, "c"), Errno::success);
  // Without the right to write a directory opens without O_DIRECTORY too.
  EXPECT_EQ(guest_.open(kInside, "a", 0, right::fd_read).error, Errno::success);
  EXPECT_EQ(guest_.open(kInside, "a", 0, right::fd_write).error, Errno::isdir);
}

TEST_F(WasiPathTest, RefusesFlagsThatAreNoneOrContradictEachOther) {
  const std::uint32_t path = guest_.put("file");
  const std::uint32_t fd = guest_.room(4);
  const auto open = [&](std::uint64_t lookup, std::uint64_t oflags, std::uint64_t fdflags) {
    return guest_.call("path_open", {kInside, lookup, path, 4, oflags, 0, 0, fdflags, fd});
  };

  EXPECT_EQ(open(2, 0, 0), Errno::inval);
  EXPECT_EQ(open(0, 16, 0), Errno::inval);
  EXPECT_EQ(open(0, 0, 32), Errno::inval);
  EXPECT_EQ(open(0, 1 | 2, 0), Errno::inval);
  EXPECT_EQ(open(0, 2 | 8, 0), Errno::inval);
  EXPECT_EQ(guest_.stat(kInside, "file", 2), Errno::inval);
  EXPECT_TRUE(fs::is_empty(inside()));
}

TEST_F(WasiPathTest, FollowsTheLastLinkOnlyWhenAsked) {
  write_text(inside("file"), "content");
  fs::create_symlink("file", inside("link"));

  EXPECT_EQ(guest_.open(kInside, "link", 0, right::fd_read, 0).error, Errno::loop);
  EXPECT_EQ(guest_.open(kInside, "link", wasi::open_flag::create, right::fd_read, 0).error,
            Errno::loop);
  EXPECT_EQ(guest_.read(guest_.open(kInside, "link", 0, right::fd_read, 1).fd), "content");
  wasi::FileStat status;
  EXPECT_EQ(guest_.stat(kInside, "link", 0, &status), Errno::success);
  EXPECT_EQ(status.type, wasi::FileType::symbolic_link);
  EXPECT_EQ(guest_.stat(kInside, "link", 1, &status), Errno::success);
  EXPECT_EQ(status.type, wasi::FileType::regular_file);
  EXPECT_EQ(status.size, 7u);
}

TEST_F(WasiPathTest, TellsStatusByPath) {
  write_text(inside("file"), "12345");
  wasi::FileStat status;

  EXPECT_EQ(guest_.stat(kInside, "file", 0, &status), Errno::success);
  EXPECT_EQ(status.size, 5u);
  EXPECT_EQ(guest_.stat(kInside, ".", 0, &status), Errno::success);
  EXPECT_EQ(status.type, wasi::FileType::directory);
  EXPECT_EQ(guest_.stat(kInside, "none"), Errno::noent);
  EXPECT_EQ(guest_.stat(kInside, "file/"), Errno::notdir);
  EXPECT_EQ(guest_.stat(1, "file"), Errno::notdir);
}

TEST_F(WasiPathTest, SetsTimesByPath) {
  write_text(inside("file"), "");
  fs::create_symlink("file", inside("link"));
  const auto set = [&](std::string_view path, std::uint64_t lookup, std::uint64_t flags) {
    return guest_.call("path_filestat_set_times",
                       {kInside, lookup, guest_.put(path), path.size(), 11, 22, flags});
  };
  wasi::FileStat status;

  EXPECT_EQ(set("file", 0, 1 | 4), Errno::success);
  EXPECT_EQ(guest_.stat(kInside, "file", 0, &status), Errno::success);
  EXPECT_EQ(status.access_ns, 11u);
  EXPECT_EQ(status.modification_ns, 22u);
  EXPECT_EQ(set("link", 0, 4), Errno::success);
  EXPECT_EQ(guest_.stat(kInside, "link", 0, &status), Errno::success);
  EXPECT_EQ(status.modification_ns, 22u);
  EXPECT_EQ(set("none", 0, 1), Errno::noent);
  EXPECT_EQ(set("file", 0, 1 | 2), Errno::inval);
  EXPECT_EQ(set("file", 2, 1), Errno::inval);
}

TEST_F(WasiPathTest, LinksFilesAndNothingElse) {
  write_text(inside("file"), "content");
  fs::create_directory(inside("directory"));
  fs::create_symlink("nowhere", inside("dangling"));

  EXPECT_EQ(guest_.link(kInside, "file", kInside, "directory/second"), Errno::success);
  EXPECT_EQ(read_text(inside("directory/second")), "content");
  EXPECT_EQ(guest_.link(kInside, "file", kInside, "directory/second"), Errno::exist);
  EXPECT_EQ(guest_.link(kInside, "directory", kInside, "x"), Errno::perm);
  EXPECT_EQ(guest_.link(kInside, "directory/", kInside, "x"), Errno::perm);
  EXPECT_EQ(guest_.link(kInside, "file/", kInside, "x"), Errno::notdir);
  EXPECT_EQ(guest_.link(kInside, "file", kInside, "x/"), Errno::noent);
  EXPECT_EQ(guest_.link(kInside, "none", kInside, "x"), Errno::noent);
  EXPECT_EQ(guest_.link(kInside, "dangling", kInside, "also-dangling"), Errno::success);
  EXPECT_EQ(guest_.readlink(kInside, "also-dangling").value(), "nowhere");
  EXPECT_EQ(guest_.link(kInside, "dangling", kInside, "x", 1), Errno::inval);
}

TEST_F(WasiPathTest, Renames) {
  write_text(inside("file"), "content");
  fs::create_directories(inside("a/b"));

  EXPECT_EQ(guest_.rename(kInside, "file", kInside, "a/b/moved"), Errno::success);
  EXPECT_EQ(read_text(inside("a/b/moved")), "content");
  EXPECT_EQ(guest_.rename(kInside, "a/", kInside, "c/"), Errno::success);
  EXPECT_EQ(read_text(inside("c/b/moved")), "content");
  EXPECT_EQ(guest_.rename(kInside, "c/b/moved/", kInside, "x"), Errno::notdir);
  EXPECT_EQ(guest_.rename(kInside, "c/b/moved", kInside, "x/"), Errno::notdir);
  EXPECT_EQ(guest_.rename(kInside, "none", kInside, "x"), Errno::noent);
  EXPECT_EQ(guest_.rename(kInside, "c", kInside, "c/b/d"), Errno::inval);
}

TEST_F(WasiPathTest, MakesAndReadsSymbolicLinks) {
  write_text(inside("file"), "content");
  fs::create_directories(inside("a/b"));

  EXPECT_EQ(guest_.symlink("../../file", kInside, "a/b/link"), Errno::success);
  EXPECT_EQ(guest_.readlink(kInside, "a/b/link").value(), "../../file");
  EXPECT_EQ(guest_.read(guest_.open(kInside, "a/b/link", 0, right::fd_read).fd), "content");
  EXPECT_EQ(guest_.symlink("file", kInside, "a/b/link"), Errno::exist);
  EXPECT_EQ(guest_.symlink("file", kInside, "new/"), Errno::noent);
  EXPECT_EQ(guest_.symlink("", kInside, "new"), Errno::noent);
  EXPECT_EQ(guest_.readlink(kInside, "file").error(), Errno::inval);
  EXPECT_EQ(guest_.readlink(kInside, "a/b/link/").error(), Errno::inval);
  EXPECT_EQ(guest_.readlink(kInside, "none").error(), Errno::noent);
}

TEST_F(WasiPathTest, CutsALinkToTheGuestsBuffer) {
  fs::create_symlink("target", inside("link"));
  const std::uint32_t buffer = guest_.put("........");
  const std::uint32_t used = guest_.room(4);

  ASSERT_EQ(guest_.call("path_readlink", {kInside, guest_.put("link"), 4, buffer, 4, used}),
            Errno::success);
  EXPECT_EQ(guest_.value<std::uint32_t>(used), 4u);
  EXPECT_EQ(guest_.text(buffer, 8), "targ....");
}

TEST_F(WasiPathTest, ReadOnlyDirectoriesRefuseEveryChange) {
  write_text(readonly("file"), "content");
  fs::create_directory(readonly("directory"));
  write_text(inside("other"), "");
  const std::uint32_t path = guest_.put("file");

  EXPECT_EQ(guest_.open(kReadonly, "new", wasi::open_flag::create).error, Errno::notcapable);
  EXPECT_EQ(guest_.open(kReadonly, "file", wasi::open_flag::create).error, Errno::notcapable);
  EXPECT_EQ(guest_.open(kReadonly, "file", wasi::open_flag::truncate).error, Errno::notcapable);
  EXPECT_EQ(guest_.open(kReadonly, "file", 0, right::fd_write).error, Errno::notcapable);
  EXPECT_EQ(guest_.on_path("path_create_directory", kReadonly, "new"), Errno::notcapable);
  EXPECT_EQ(guest_.on_path("path_unlink_file", kReadonly, "file"), Errno::notcapable);
  EXPECT_EQ(guest_.on_path("path_remove_directory", kReadonly, "directory"), Errno::notcapable);
  EXPECT_EQ(guest_.symlink("file", kReadonly, "new"), Errno::notcapable);
  EXPECT_EQ(guest_.link(kReadonly, "file", kReadonly, "new"), Errno::notcapable);
  EXPECT_EQ(guest_.link(kReadonly, "file", kInside, "new"), Errno::notcapable);
  EXPECT_EQ(guest_.link(kInside, "other", kReadonly, "new"), Errno::notcapable);
  EXPECT_EQ(guest_.rename(kReadonly, "file", kReadonly, "new"), Errno::notcapable);
  EXPECT_EQ(guest_.rename(kReadonly, "file", kInside, "new"), Errno::notcapable);
  EXPECT_EQ(guest_.rename(kInside, "other", kReadonly, "new"), Errno::notcapable);
  EXPECT_EQ(guest_.call("path_filestat_set_times", {kReadonly, 0, path, 4, 0, 0, 1}),
            Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_filestat_set_times", {kReadonly, 0, 0, 1}), Errno::notcapable);
  // A directory opened through it is no better.
  const auto below = guest_.open(kReadonly, "directory", wasi::open_flag::directory);
  ASSERT_EQ(below.error, Errno::success);
  EXPECT_EQ(guest_.open(below.fd, "new", wasi::open_flag::create).error, Errno::notcapable);
  // Neither is a file that asks for less than writing: sizes and space change it too.
  const auto file = guest_.open(kReadonly, "file", 0,
                                right::fd_read | right::fd_filestat_set_size | right::fd_allocate |
                                    right::fd_filestat_set_times);
  ASSERT_EQ(file.error, Errno::success);
  EXPECT_EQ(guest_.call("fd_filestat_set_size", {file.fd, 0}), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_allocate", {file.fd, 0, 100}), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_filestat_set_times", {file.fd, 0, 0, 1}), Errno::notcapable);
  EXPECT_EQ(guest_.read(file.fd), "content");
  EXPECT_EQ(guest_.list(kReadonly), (Names{"directory", "file"}));
  EXPECT_EQ(read_text(readonly("file")), "content");
}

TEST_F(WasiPathTest, TruncatingNeedsTheRightToWrite) {
  write_text(inside("file"), "content");
  const std::uint32_t stat = guest_.room(24);
  ASSERT_EQ(guest_.call("fd_fdstat_get", {kInside, stat}), Errno::success);
  const auto rights = guest_.value<wasi::FdStat>(stat);
  ASSERT_EQ(guest_.call("fd_fdstat_set_rights",
                        {kInside, rights.base & ~right::path_filestat_set_size, rights.inheriting}),
            Errno::success);

  EXPECT_EQ(guest_.open(kInside, "file", wasi::open_flag::truncate, right::fd_read).error,
            Errno::notcapable);
  EXPECT_EQ(read_text(inside("file")), "content");
}

TEST_F(WasiPathTest, EachPathCallNeedsItsRight) {
  write_text(inside("file"), "content");
  ASSERT_EQ(guest_.call("fd_fdstat_set_rights", {kInside, 0, 0}), Errno::success);
  const std::uint32_t path = guest_.put("file");
  const std::uint32_t place = guest_.room(64);

  EXPECT_EQ(guest_.open(kInside, "file", 0, 0).error, Errno::notcapable);
  EXPECT_EQ(guest_.stat(kInside, "file"), Errno::notcapable);
  EXPECT_EQ(guest_.readlink(kInside, "file").error(), Errno::notcapable);
  EXPECT_EQ(guest_.on_path("path_create_directory", kInside, "x"), Errno::notcapable);
  EXPECT_EQ(guest_.on_path("path_remove_directory", kInside, "x"), Errno::notcapable);
  EXPECT_EQ(guest_.on_path("path_unlink_file", kInside, "file"), Errno::notcapable);
  EXPECT_EQ(guest_.symlink("file", kInside, "x"), Errno::notcapable);
  EXPECT_EQ(guest_.link(kInside, "file", kInside, "x"), Errno::notcapable);
  EXPECT_EQ(guest_.rename(kInside, "file", kInside, "x"), Errno::notcapable);
  EXPECT_EQ(guest_.call("path_filestat_set_times", {kInside, 0, path, 4, 0, 0, 1}),
            Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_readdir", {kInside, place, 64, 0, place}), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_filestat_get", {kInside, place}), Errno::notcapable);
}

TEST_F(WasiPathTest, NeverOpensAPipe) {
  ASSERT_EQ(::mkfifo(inside("pipe").c_str(), 0600), 0);

  EXPECT_EQ(guest_.open(kInside, "pipe", 0, right::fd_read).error, Errno::notsup);
  EXPECT_EQ(guest_.open(kInside, "pipe", 0, right::fd_read | right::fd_write).error, Errno::notsup);
  EXPECT_EQ(guest_.open(kInside, "pipe", 0, right::fd_write).error, Errno::nxio);
  EXPECT_EQ(guest_.stat(kInside, "pipe"), Errno::success);
}

}  // namespace
}  // namespace nur
