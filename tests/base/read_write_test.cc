#include "base/read_write.h"

#include <cerrno>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/fd.h"

namespace nur {
namespace {

class ReadWriteTest : public ::testing::Test {
 protected:
  std::string read(std::size_t bytes, std::int64_t offset) {
    std::string text(bytes, '\0');
    const ssize_t got = read_some(file_.get(), text, offset);
    EXPECT_GE(got, 0);
    text.resize(static_cast<std::size_t>(got));
    return text;
  }
  [[nodiscard]] off_t position() const { return ::lseek(file_.get(), 0, SEEK_CUR); }

  Fd file_{::memfd_create("file", MFD_CLOEXEC)};
};

TEST_F(ReadWriteTest, GoesOnWhereItWas) {
  EXPECT_EQ(write_some(file_.get(), "one", kAtPosition), 3);
  EXPECT_EQ(write_some(file_.get(), "two", kAtPosition), 3);
  EXPECT_EQ(position(), 6);
  ASSERT_EQ(::lseek(file_.get(), 0, SEEK_SET), 0);
  EXPECT_EQ(read(4, kAtPosition), "onet");
  EXPECT_EQ(read(4, kAtPosition), "wo");
  EXPECT_EQ(read(4, kAtPosition), "");
}

TEST_F(ReadWriteTest, LeavesThePositionAloneElsewhere) {
  EXPECT_EQ(write_some(file_.get(), "there", 10), 5);
  EXPECT_EQ(position(), 0);
  EXPECT_EQ(read(5, 12), "ere");
  EXPECT_EQ(read(2, 0), std::string(2, '\0'));
  EXPECT_EQ(position(), 0);
}

TEST_F(ReadWriteTest, SaysWhatIsWrongAsTheKernelDoes) {
  char byte;
  errno = 0;
  EXPECT_EQ(read_some(-1, {&byte, 1}, 0), -1);
  EXPECT_EQ(errno, EBADF);
  EXPECT_EQ(write_some(-1, "x", kAtPosition), -1);
  EXPECT_EQ(errno, EBADF);
}

}  // namespace
}  // namespace nur
