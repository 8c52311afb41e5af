// Descriptors: the table, rights, status, sizes, times.
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "host/abi/wasi/file_table.h"
#include "tests/host/abi/fake_guest.h"

namespace nur {
namespace {

namespace right = wasi::right;
using wasi::Errno;

class WasiFdTest : public WithFolders {
 protected:
  WasiFdTest() : guest_(with_directories()) {}

  std::uint32_t create(std::string_view path) {
    const auto opened = guest_.open(kInside, path, wasi::open_flag::create);
    EXPECT_EQ(opened.error, Errno::success);
    return opened.fd;
  }
  wasi::FdStat fdstat(std::uint32_t fd) {
    const std::uint32_t place = guest_.room(sizeof(wasi::FdStat));
    EXPECT_EQ(guest_.call("fd_fdstat_get", {fd, place}), Errno::success);
    return guest_.value<wasi::FdStat>(place);
  }
  wasi::FileStat filestat(std::uint32_t fd) {
    const std::uint32_t place = guest_.room(sizeof(wasi::FileStat));
    EXPECT_EQ(guest_.call("fd_filestat_get", {fd, place}), Errno::success);
    return guest_.value<wasi::FileStat>(place);
  }

  FakeGuest guest_;
};

TEST_F(WasiFdTest, GivesOutTheLowestFreeNumber) {
  const std::uint32_t first = create("a");
  const std::uint32_t second = create("b");
  EXPECT_EQ(first, 5u);
  EXPECT_EQ(second, 6u);

  EXPECT_EQ(guest_.call("fd_close", {first}), Errno::success);
  EXPECT_EQ(create("c"), first);
  EXPECT_EQ(guest_.call("fd_close", {0}), Errno::success);
  EXPECT_EQ(create("d"), 0u);
}

TEST_F(WasiFdTest, KnowsAClosedDescriptorNoMore) {
  const std::uint32_t fd = create("a");

  EXPECT_EQ(guest_.call("fd_close", {fd}), Errno::success);
  EXPECT_EQ(guest_.call("fd_close", {fd}), Errno::badf);
  EXPECT_EQ(guest_.write(fd, "x"), Errno::badf);
  EXPECT_EQ(guest_.call("fd_close", {0xffffffff}), Errno::badf);
}

TEST_F(WasiFdTest, IsNoDescriptorOfTheHost) {
  // The preopened directories themselves have numbers in this process; none means anything here.
  for (std::uint32_t fd = 5; fd < 1100; ++fd) {
    EXPECT_EQ(guest_.call("fd_sync", {fd}), Errno::badf);
  }
}

TEST_F(WasiFdTest, RefusesAFullTableBeforeAFileIsMade) {
  WasiOptions options = with_directories();
  options.open_files_max = 8;
  FakeGuest guest(std::move(options));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(guest.open(kInside, "file", wasi::open_flag::create).error, Errno::success);
  }

  EXPECT_EQ(guest.open(kInside, "another", wasi::open_flag::create).error, Errno::mfile);
  EXPECT_FALSE(std::filesystem::exists(inside("another")));
  EXPECT_EQ(guest.call("fd_close", {6}), Errno::success);
  EXPECT_EQ(guest.open(kInside, "another", wasi::open_flag::create).fd, 6u);
}

TEST_F(WasiFdTest, RefusesMorePreopensThanItsTableHolds) {
  WasiOptions options = with_directories();
  options.open_files_max = 4;

  const auto created = WasiProcess::create(std::move(options));

  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().kind, ErrorKind::limit_exceeded);
}

TEST_F(WasiFdTest, RenumberingClosesTheTarget) {
  const std::uint32_t from = create("a");
  const std::uint32_t to = create("b");
  ASSERT_EQ(guest_.write(to, "b"), Errno::success);
  const std::weak_ptr<const Fd> closed = (*guest_.process().files().find(to))->host;

  ASSERT_EQ(guest_.call("fd_renumber", {from, to}), Errno::success);

  EXPECT_TRUE(closed.expired());
  EXPECT_EQ(guest_.write(to, "now a"), Errno::success);
  EXPECT_EQ(read_text(inside("a")), "now a");
  EXPECT_EQ(guest_.write(from, "x"), Errno::badf);
}

TEST_F(WasiFdTest, RenumberingNeedsTwoOpenDescriptors) {
  const std::uint32_t fd = create("a");

  EXPECT_EQ(guest_.call("fd_renumber", {fd, 50}), Errno::badf);
  EXPECT_EQ(guest_.call("fd_renumber", {50, fd}), Errno::badf);
  EXPECT_EQ(guest_.call("fd_renumber", {fd, 0xffffffff}), Errno::badf);
  EXPECT_EQ(guest_.call("fd_renumber", {fd, fd}), Errno::success);
  EXPECT_EQ(guest_.write(fd, "still open"), Errno::success);
}

TEST_F(WasiFdTest, AFileMayTakeThePlaceOfAPreopen) {
  const std::uint32_t fd = create("a");

  ASSERT_EQ(guest_.call("fd_renumber", {fd, kInside}), Errno::success);

  EXPECT_EQ(guest_.call("fd_prestat_get", {kInside, guest_.room(8)}), Errno::badf);
  EXPECT_EQ(guest_.write(kInside, "x"), Errno::success);
}

TEST_F(WasiFdTest, TellsTypeFlagsAndRights) {
  const auto opened = guest_.open(kInside, "a", wasi::open_flag::create, ~wasi::Rights{0}, 1,
                                  wasi::fd_flag::append);

  const wasi::FdStat file = fdstat(opened.fd);
  EXPECT_EQ(file.type, wasi::FileType::regular_file);
  EXPECT_EQ(file.flags, wasi::fd_flag::append);
  EXPECT_EQ(file.base, right::of_file);
  EXPECT_EQ(file.inheriting, 0u);
  const wasi::FdStat directory = fdstat(kInside);
  EXPECT_EQ(directory.type, wasi::FileType::directory);
  EXPECT_EQ(directory.base, right::of_directory);
  EXPECT_EQ(directory.inheriting, right::of_directory | right::of_file);
  const wasi::FdStat readonly = fdstat(kReadonly);
  EXPECT_EQ(readonly.base & (right::path_create_file | right::path_unlink_file), 0u);
  EXPECT_EQ(readonly.inheriting & right::fd_write, 0u);
  EXPECT_EQ(fdstat(1).type, wasi::FileType::unknown);
  EXPECT_EQ(fdstat(1).base & (right::fd_seek | right::fd_tell | right::fd_read), 0u);
}

TEST_F(WasiFdTest, RefusesUnknownFlags) {
  const std::uint32_t fd = create("a");

  EXPECT_EQ(guest_.call("fd_fdstat_set_flags", {fd, 32}), Errno::inval);
  EXPECT_EQ(guest_.call("fd_fdstat_set_flags", {fd, 0x10000}), Errno::inval);
  EXPECT_EQ(fdstat(fd).flags, 0);
}

TEST_F(WasiFdTest, RightsOnlyShrink) {
  const std::uint32_t fd = create("a");
  const wasi::Rights all = fdstat(fd).base;

  ASSERT_EQ(guest_.call("fd_fdstat_set_rights", {fd, all & ~right::fd_write, 0}), Errno::success);
  EXPECT_EQ(guest_.write(fd, "x"), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_fdstat_set_rights", {fd, all, 0}), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_fdstat_set_rights", {fd, 0, 1}), Errno::notcapable);
  EXPECT_EQ(fdstat(fd).base, all & ~right::fd_write);
}

TEST_F(WasiFdTest, InheritingRightsBoundWhatIsOpenedLater) {
  const wasi::FdStat directory = fdstat(kInside);
  write_text(inside("file"), "x");
  ASSERT_EQ(guest_.call("fd_fdstat_set_rights",
                        {kInside, directory.base, directory.inheriting & ~right::fd_write}),
            Errno::success);

  EXPECT_EQ(guest_.open(kInside, "file", 0, right::fd_read | right::fd_write).error,
            Errno::notcapable);
  const auto opened = guest_.open(kInside, "file", 0, right::fd_read | right::fd_seek);
  EXPECT_EQ(opened.error, Errno::success);
  EXPECT_EQ(fdstat(opened.fd).base, right::fd_read | right::fd_seek);
}

TEST_F(WasiFdTest, TellsAFilesStatus) {
  const std::uint32_t fd = create("a");
  ASSERT_EQ(guest_.write(fd, "12345"), Errno::success);

  const wasi::FileStat file = filestat(fd);
  EXPECT_EQ(file.size, 5u);
  EXPECT_EQ(file.type, wasi::FileType::regular_file);
  EXPECT_EQ(file.links, 1u);
  EXPECT_GT(file.modification_ns, 1'700'000'000'000'000'000u);
  EXPECT_EQ(filestat(kInside).type, wasi::FileType::directory);
  EXPECT_EQ(filestat(1).size, 0u);
}

TEST_F(WasiFdTest, SetsSizes) {
  const std::uint32_t fd = create("a");
  ASSERT_EQ(guest_.write(fd, "12345"), Errno::success);

  EXPECT_EQ(guest_.call("fd_filestat_set_size", {fd, 2}), Errno::success);
  EXPECT_EQ(read_text(inside("a")), "12");
  EXPECT_EQ(guest_.call("fd_filestat_set_size", {fd, 4}), Errno::success);
  EXPECT_EQ(filestat(fd).size, 4u);
  EXPECT_EQ(guest_.call("fd_filestat_set_size", {fd, ~std::uint64_t{0}}), Errno::fbig);
}

TEST_F(WasiFdTest, Allocates) {
  const std::uint32_t fd = create("a");

  EXPECT_EQ(guest_.call("fd_allocate", {fd, 10, 90}), Errno::success);
  EXPECT_EQ(filestat(fd).size, 100u);
  EXPECT_EQ(guest_.call("fd_allocate", {fd, 0, 0}), Errno::inval);
  EXPECT_EQ(guest_.call("fd_allocate", {fd, 1, std::uint64_t{1} << 63}), Errno::fbig);
  EXPECT_EQ(guest_.call("fd_allocate", {fd, ~std::uint64_t{0}, 1}), Errno::fbig);
}

TEST_F(WasiFdTest, TakesAdvice) {
  const std::uint32_t fd = create("a");

  for (std::uint64_t advice = 0; advice < 6; ++advice) {
    EXPECT_EQ(guest_.call("fd_advise", {fd, 0, 100, advice}), Errno::success);
  }
  EXPECT_EQ(guest_.call("fd_advise", {fd, 0, 100, 6}), Errno::inval);
  EXPECT_EQ(guest_.call("fd_advise", {fd, ~std::uint64_t{0}, 1, 0}), Errno::inval);
}

TEST_F(WasiFdTest, Synchronises) {
  const std::uint32_t fd = create("a");

  EXPECT_EQ(guest_.call("fd_sync", {fd}), Errno::success);
  EXPECT_EQ(guest_.call("fd_datasync", {fd}), Errno::success);
  EXPECT_EQ(guest_.call("fd_sync", {kInside}), Errno::success);
  EXPECT_EQ(guest_.call("fd_sync", {1}), Errno::inval);
  EXPECT_EQ(guest_.call("fd_datasync", {1}), Errno::inval);
}

TEST_F(WasiFdTest, SetsTimes) {
  const std::uint32_t fd = create("a");

  ASSERT_EQ(guest_.call("fd_filestat_set_times", {fd, 5, 7'000'000'001, 1 | 4}), Errno::success);
  EXPECT_EQ(filestat(fd).access_ns, 5u);
  EXPECT_EQ(filestat(fd).modification_ns, 7'000'000'001u);
  ASSERT_EQ(guest_.call("fd_filestat_set_times", {fd, 0, 0, 8}), Errno::success);
  EXPECT_EQ(filestat(fd).access_ns, 5u);
  EXPECT_GT(filestat(fd).modification_ns, 1'700'000'000'000'000'000u);
}

TEST_F(WasiFdTest, RefusesTimesThatContradictEachOther) {
  const std::uint32_t fd = create("a");

  EXPECT_EQ(guest_.call("fd_filestat_set_times", {fd, 0, 0, 1 | 2}), Errno::inval);
  EXPECT_EQ(guest_.call("fd_filestat_set_times", {fd, 0, 0, 4 | 8}), Errno::inval);
  EXPECT_EQ(guest_.call("fd_filestat_set_times", {fd, 0, 0, 16}), Errno::inval);
}

TEST(FileTable, HoldsNoMoreThanItsCapacity) {
  NullStream stream;
  wasi::FileTable table(2);
  const auto file = [&] {
    wasi::OpenFile open;
    open.stream = &stream;
    return open;
  };

  EXPECT_EQ(table.insert(file()).value(), 0u);
  EXPECT_EQ(table.insert(file()).value(), 1u);
  EXPECT_EQ(table.insert(file()).error(), Errno::mfile);
  EXPECT_TRUE(table.close(0));
  EXPECT_EQ(table.insert(file()).value(), 0u);
}

TEST(Preopen, RefusesWhatIsNoDirectory) {
  const ScratchDir scratch = ScratchDir::create("nur-wasi-test").value();
  write_text(scratch.path() / "file", "x");

  EXPECT_EQ(Preopen::open(scratch.path() / "none", "/", false).error().kind, ErrorKind::not_found);
  EXPECT_EQ(Preopen::open(scratch.path() / "file", "/", false).error().kind,
            ErrorKind::invalid_input);
}

}  // namespace
}  // namespace nur
