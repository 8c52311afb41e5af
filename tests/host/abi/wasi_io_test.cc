// Reading, writing and seeking.
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "tests/host/abi/fake_guest.h"

namespace nur {
namespace {

namespace right = wasi::right;
using wasi::Errno;

class WasiIoTest : public WithFolders {
 protected:
  WasiIoTest() : guest_(with_directories()) {}

  std::uint32_t open(std::string_view path, std::uint32_t oflags = 0,
                     wasi::Rights base = ~wasi::Rights{0}, std::uint32_t fdflags = 0) {
    const auto opened = guest_.open(kInside, path, oflags, base, 1, fdflags);
    EXPECT_EQ(opened.error, Errno::success) << path;
    return opened.fd;
  }
  std::uint32_t create(std::string_view path, std::uint32_t fdflags = 0) {
    return open(path, wasi::open_flag::create, ~wasi::Rights{0}, fdflags);
  }
  Errno seek(std::uint32_t fd, std::int64_t delta, std::uint32_t whence) {
    return guest_.call("fd_seek", {fd, static_cast<std::uint64_t>(delta), whence, position_});
  }
  std::uint64_t position() { return guest_.value<std::uint64_t>(position_); }
  Errno pwrite(std::uint32_t fd, std::string_view bytes, std::uint64_t offset) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    return guest_.call("fd_pwrite",
                       {fd, guest_.put_vector(guest_.put(bytes), size), 1, offset, guest_.room(4)});
  }

  FakeGuest guest_;
  std::uint32_t position_ = guest_.room(8);
};

TEST(WasiStreams, ReadTheBodyAndKeepTheAnswer) {
  InputView input("two words");
  CappedOutput output(100);
  WasiOptions options;
  options.standard_input = &input;
  options.standard_output = &output;
  FakeGuest guest(options);

  EXPECT_EQ(guest.read(0, 3), "two");
  EXPECT_EQ(guest.read(0), " words");
  EXPECT_EQ(guest.read(0), "");
  EXPECT_EQ(guest.write(1, "an "), Errno::success);
  EXPECT_EQ(guest.write(1, "answer"), Errno::success);
  EXPECT_EQ(output.bytes(), "an answer");
}

TEST(WasiStreams, SayNoSpacePastTheCap) {
  CappedOutput output(4);
  WasiOptions options;
  options.standard_output = &output;
  FakeGuest guest(options);

  EXPECT_EQ(guest.write(1, "1234"), Errno::success);
  EXPECT_EQ(guest.write(1, "5"), Errno::nospc);
}

TEST(WasiStreams, GoOneWay) {
  FakeGuest guest;
  const std::uint32_t vector = guest.put_vector(guest.room(4), 4);

  EXPECT_EQ(guest.write(0, "x"), Errno::notcapable);
  EXPECT_EQ(guest.call("fd_read", {1, vector, 1, guest.room(4)}), Errno::notcapable);
}

TEST(WasiStreams, HaveNoPosition) {
  FakeGuest guest;
  const std::uint32_t place = guest.room(16);
  const std::uint32_t vector = guest.put_vector(place, 4);

  EXPECT_EQ(guest.call("fd_seek", {1, 0, 1, place}), Errno::spipe);
  EXPECT_EQ(guest.call("fd_tell", {0, place}), Errno::spipe);
  EXPECT_EQ(guest.call("fd_pread", {0, vector, 1, 0, place}), Errno::spipe);
  EXPECT_EQ(guest.call("fd_pwrite", {1, vector, 1, 0, place}), Errno::spipe);
  EXPECT_EQ(guest.call("fd_allocate", {1, 0, 1}), Errno::spipe);
  EXPECT_EQ(guest.call("fd_advise", {1, 0, 1, 0}), Errno::spipe);
  EXPECT_EQ(guest.call("fd_filestat_set_size", {1, 1}), Errno::spipe);
}

TEST_F(WasiIoTest, WritesAndReadsAFile) {
  const std::uint32_t fd = create("file");

  EXPECT_EQ(guest_.write(fd, "hello"), Errno::success);
  EXPECT_EQ(read_text(inside("file")), "hello");
  EXPECT_EQ(seek(fd, 1, 0), Errno::success);
  EXPECT_EQ(guest_.read(fd), "ello");
  EXPECT_EQ(guest_.read(fd), "");
}

TEST_F(WasiIoTest, ScattersAndGathers) {
  const std::uint32_t fd = create("file");
  const std::uint32_t one = guest_.put("abc");
  const std::uint32_t two = guest_.put("defg");
  const std::uint32_t vectors = guest_.put_vector(one, 3);
  guest_.put_vector(0, 0);  // each put starts at a multiple of 16, so write the list by hand
  ASSERT_TRUE(guest_.memory().write(vectors + 8, wasi::Vector{two, 4}));
  const std::uint32_t count = guest_.room(4);

  ASSERT_EQ(guest_.call("fd_write", {fd, vectors, 2, count}), Errno::success);
  EXPECT_EQ(guest_.value<std::uint32_t>(count), 7u);
  EXPECT_EQ(read_text(inside("file")), "abcdefg");

  ASSERT_EQ(seek(fd, 0, 0), Errno::success);
  ASSERT_TRUE(guest_.memory().write(vectors, wasi::Vector{two, 2}));
  ASSERT_TRUE(guest_.memory().write(vectors + 8, wasi::Vector{one, 3}));
  ASSERT_EQ(guest_.call("fd_read", {fd, vectors, 2, count}), Errno::success);
  EXPECT_EQ(guest_.value<std::uint32_t>(count), 5u);
  EXPECT_EQ(guest_.text(two, 2) + guest_.text(one, 3), "abcde");
}

TEST_F(WasiIoTest, ReadsMoreThanItsOwnBufferHolds) {
  std::string content;
  for (int i = 0; i < 30'000; ++i) content += std::to_string(i) + ",";
  write_text(inside("file"), content);

  EXPECT_EQ(guest_.read(open("file"), 400'000), content);
}

TEST_F(WasiIoTest, ReadsAndWritesAtOffsetsWithoutMoving) {
  const std::uint32_t fd = create("file");
  ASSERT_EQ(guest_.write(fd, "0123456789"), Errno::success);
  const std::uint32_t buffer = guest_.room(4);
  const std::uint32_t count = guest_.room(4);

  EXPECT_EQ(pwrite(fd, "xy", 3), Errno::success);
  EXPECT_EQ(guest_.call("fd_pread", {fd, guest_.put_vector(buffer, 4), 1, 2, count}),
            Errno::success);
  EXPECT_EQ(guest_.text(buffer, 4), "2xy5");
  EXPECT_EQ(guest_.call("fd_tell", {fd, position_}), Errno::success);
  EXPECT_EQ(position(), 10u);
}

TEST_F(WasiIoTest, RefusesOffsetsThatNoFileHas) {
  const std::uint32_t fd = create("file");
  const std::uint32_t vector = guest_.put_vector(guest_.room(4), 4);

  for (const std::uint64_t offset : {~std::uint64_t{0}, std::uint64_t{1} << 63}) {
    EXPECT_EQ(pwrite(fd, "x", offset), Errno::inval);
    EXPECT_EQ(guest_.call("fd_pread", {fd, vector, 1, offset, guest_.room(4)}), Errno::inval);
  }
  EXPECT_EQ(read_text(inside("file")), "");
}

TEST_F(WasiIoTest, AppendsWhenTheFlagIsSetAndStopsWhenItIsTakenOff) {
  write_text(inside("file"), "abc");
  const std::uint32_t fd = create("file", wasi::fd_flag::append);

  ASSERT_EQ(guest_.write(fd, "d"), Errno::success);
  ASSERT_EQ(seek(fd, 0, 0), Errno::success);
  ASSERT_EQ(guest_.write(fd, "e"), Errno::success);
  EXPECT_EQ(read_text(inside("file")), "abcde");

  ASSERT_EQ(guest_.call("fd_fdstat_set_flags", {fd, 0}), Errno::success);
  ASSERT_EQ(seek(fd, 0, 0), Errno::success);
  ASSERT_EQ(guest_.write(fd, "X"), Errno::success);
  EXPECT_EQ(read_text(inside("file")), "Xbcde");
}

TEST_F(WasiIoTest, WritesThroughWithSynchronisedFlags) {
  for (const auto flag : {wasi::fd_flag::dsync, wasi::fd_flag::rsync, wasi::fd_flag::sync}) {
    const std::uint32_t fd = create("file", flag);
    EXPECT_EQ(guest_.write(fd, "durable"), Errno::success);
    EXPECT_EQ(read_text(inside("file")), "durable");
  }
}

TEST_F(WasiIoTest, SeeksFromStartPositionAndEnd) {
  write_text(inside("file"), "0123456789");
  const std::uint32_t fd = open("file");

  EXPECT_EQ(seek(fd, 4, 0), Errno::success);
  EXPECT_EQ(position(), 4u);
  EXPECT_EQ(seek(fd, -1, 1), Errno::success);
  EXPECT_EQ(position(), 3u);
  EXPECT_EQ(seek(fd, -2, 2), Errno::success);
  EXPECT_EQ(position(), 8u);
  EXPECT_EQ(seek(fd, 100, 0), Errno::success);
  EXPECT_EQ(guest_.read(fd), "");
}

TEST_F(WasiIoTest, RefusesToSeekBeforeTheStartOrFromNowhere) {
  const std::uint32_t fd = create("file");

  EXPECT_EQ(seek(fd, -1, 0), Errno::inval);
  EXPECT_EQ(seek(fd, 0, 3), Errno::inval);
  EXPECT_EQ(seek(fd, 0, 0xffffffff), Errno::inval);
}

TEST_F(WasiIoTest, TellsWithoutTheRightToSeek) {
  write_text(inside("file"), "0123");
  const std::uint32_t fd = open("file", 0, right::fd_read | right::fd_tell);

  EXPECT_EQ(guest_.read(fd, 2), "01");
  EXPECT_EQ(seek(fd, 0, 1), Errno::success);
  EXPECT_EQ(position(), 2u);
  EXPECT_EQ(seek(fd, 1, 1), Errno::notcapable);
  EXPECT_EQ(seek(fd, 0, 0), Errno::notcapable);
}

TEST_F(WasiIoTest, NeedsTheRightOfEachCall) {
  write_text(inside("file"), "0123");
  const std::uint32_t fd = open("file", 0, right::fd_filestat_get);
  const std::uint32_t vector = guest_.put_vector(guest_.put("abcd"), 4);
  const std::uint32_t place = guest_.room(64);

  EXPECT_EQ(guest_.call("fd_read", {fd, vector, 1, place}), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_write", {fd, vector, 1, place}), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_pread", {fd, vector, 1, 0, place}), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_pwrite", {fd, vector, 1, 0, place}), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_tell", {fd, place}), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_advise", {fd, 0, 1, 0}), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_allocate", {fd, 0, 1}), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_sync", {fd}), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_datasync", {fd}), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_fdstat_set_flags", {fd, 0}), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_filestat_set_size", {fd, 0}), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_filestat_set_times", {fd, 0, 0, 1}), Errno::notcapable);
  EXPECT_EQ(guest_.call("fd_filestat_get", {fd, place}), Errno::success);
  EXPECT_EQ(read_text(inside("file")), "0123");
}

TEST_F(WasiIoTest, IsNotForDirectories) {
  const std::uint32_t vector = guest_.put_vector(guest_.room(4), 4);
  const std::uint32_t place = guest_.room(64);

  EXPECT_EQ(guest_.call("fd_read", {kInside, vector, 1, place}), Errno::isdir);
  EXPECT_EQ(guest_.call("fd_write", {kInside, vector, 1, place}), Errno::isdir);
  EXPECT_EQ(guest_.call("fd_pread", {kInside, vector, 1, 0, place}), Errno::isdir);
  EXPECT_EQ(guest_.call("fd_pwrite", {kInside, vector, 1, 0, place}), Errno::isdir);
  EXPECT_EQ(guest_.call("fd_seek", {kInside, 0, 1, place}), Errno::isdir);
  EXPECT_EQ(guest_.call("fd_tell", {kInside, place}), Errno::isdir);
  EXPECT_EQ(guest_.call("fd_allocate", {kInside, 0, 1}), Errno::isdir);
  EXPECT_EQ(guest_.call("fd_filestat_set_size", {kInside, 0}), Errno::isdir);
}

TEST_F(WasiIoTest, RefusesMoreThan1024Vectors) {
  const std::uint32_t vectors = guest_.room(1025 * 8);
  const std::uint32_t count = guest_.room(4);

  EXPECT_EQ(guest_.call("fd_write", {1, vectors, 1024, count}), Errno::success);
  EXPECT_EQ(guest_.call("fd_write", {1, vectors, 1025, count}), Errno::inval);
}

TEST_F(WasiIoTest, MovesAtMost16MebibytesACall) {
  const std::uint32_t whole = FakeGuest::kMemoryBytes;
  const std::uint32_t vectors = guest_.room(32 * 8);
  for (std::uint32_t i = 0; i < 32; ++i) {
    ASSERT_TRUE(guest_.memory().write(vectors + 8 * i, wasi::Vector{0, whole}));
  }
  const std::uint32_t count = guest_.room(4);

  EXPECT_EQ(guest_.call("fd_write", {1, vectors, 32, count}), Errno::success);
  EXPECT_EQ(guest_.value<std::uint32_t>(count), 16u << 20);
}

TEST_F(WasiIoTest, MovesNothingWhenOneVectorIsBad) {
  const std::uint32_t fd = create("file");
  const std::uint32_t vectors = guest_.put_vector(guest_.put("good"), 4);
  guest_.room(8);
  ASSERT_TRUE(guest_.memory().write(vectors + 8, wasi::Vector{FakeGuest::kMemoryBytes - 2, 4}));

  EXPECT_EQ(guest_.call("fd_write", {fd, vectors, 2, guest_.room(4)}), Errno::fault);
  EXPECT_EQ(read_text(inside("file")), "");
}

TEST_F(WasiIoTest, WritesNothingWhenTheCountHasNoPlace) {
  const std::uint32_t fd = create("file");
  const std::uint32_t vector = guest_.put_vector(guest_.put("lost"), 4);

  EXPECT_EQ(guest_.call("fd_write", {fd, vector, 1, FakeGuest::kMemoryBytes - 3}), Errno::fault);
  EXPECT_EQ(read_text(inside("file")), "");
}

}  // namespace
}  // namespace nur
