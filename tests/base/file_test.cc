#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace nur {
namespace {

std::size_t entries_in(const Path& folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

class File : public testing::Test {
 protected:
  [[nodiscard]] Path path(const char* name) const { return scratch_->path() / name; }
  void SetUp() override { ASSERT_TRUE(scratch_) << scratch_.error().message; }

  Result<ScratchDir> scratch_ = ScratchDir::create("nur-file-test-");
};

TEST_F(File, IsReadAsItWasWritten) {
  const std::string bytes = std::string("a\0b", 3) + std::string(100000, 'x');
  ASSERT_TRUE(write_file(path("a"), bytes));
  EXPECT_EQ(read_file(path("a"), bytes.size()).value_or(""), bytes);
}

TEST_F(File, IsNotReadAboveTheLimit) {
  ASSERT_TRUE(write_file(path("a"), "12345"));
  const Result<std::string> bytes = read_file(path("a"), 4);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().kind, ErrorKind::limit_exceeded);
}

TEST_F(File, IsNotFound) {
  const Result<std::string> bytes = read_file(path("missing"), 4);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().kind, ErrorKind::not_found);
  EXPECT_NE(bytes.error().message.find("missing"), std::string::npos);
}

TEST_F(File, IsNotReadWhenItIsAFolderOrAPipe) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  for (const Path& other : {scratch_->path(), path("pipe")}) {
    const Result<std::string> bytes = read_file(other, 4);
    ASSERT_FALSE(bytes) << other;
    EXPECT_EQ(bytes.error().kind, ErrorKind::invalid_input) << other;
  }
}

TEST_F(File, IsPublishedWithItsMode) {
  const mode_t mask = ::umask(022);
  const Result<void> published = publish_file(path("a"), "new", 0666);
  ::umask(mask);
  ASSERT_TRUE(published) << published.error().message;
  EXPECT_EQ(read_file(path("a"), 10).value_or(""), "new");
  struct stat status {};
  ASSERT_EQ(::stat(path("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0644u);
  EXPECT_EQ(entries_in(scratch_->path()), 1u);
}

TEST_F(File, IsPublishedOverAnOldOneThatSomebodyHasOpen) {
  ASSERT_TRUE(write_file(path("a"), "old"));
  const Fd old(::open(path("a").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(old.is_open());

  ASSERT_TRUE(publish_file(path("a"), "replaced"));

  char bytes[8] = {};
  EXPECT_EQ(::read(old.get(), bytes, sizeof bytes), 3);
  EXPECT_STREQ(bytes, "old");
  EXPECT_EQ(read_file(path("a"), 10).value_or(""), "replaced");
  EXPECT_EQ(entries_in(scratch_->path()), 1u);
}

TEST_F(File, IsNotPublishedIntoAFolderThatIsNotThere) {
  const Result<void> published = publish_file(path("missing/a"), "new");
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().kind, ErrorKind::not_found);
}

TEST_F(File, IsNotPublishedOverAFolderAndLeavesNothing) {
  ASSERT_TRUE(std::filesystem::create_directory(path("folder")));
  EXPECT_FALSE(publish_file(path("folder"), "new"));
  EXPECT_EQ(entries_in(scratch_->path()), 1u);
}

TEST(SealedMemfd, HoldsItsBytesAndTakesNoOthers) {
  const Result<Fd> file = sealed_memfd("test", "12345");
  ASSERT_TRUE(file) << file.error().message;
  char bytes[6] = {};
  EXPECT_EQ(::pread(file->get(), bytes, 5, 0), 5);
  EXPECT_STREQ(bytes, "12345");
  EXPECT_EQ(::pwrite(file->get(), "x", 1, 0), -1);
  EXPECT_EQ(::ftruncate(file->get(), 0), -1);
  EXPECT_EQ(::ftruncate(file->get(), 100), -1);
}

TEST(ScratchDir, IsPrivateAndRemovesItself) {
  Path where;
  {
    const Result<ScratchDir> scratch = ScratchDir::create("nur-scratch-test-");
    ASSERT_TRUE(scratch) << scratch.error().message;
    where = scratch->path();
    ASSERT_TRUE(write_file(where / "a", "1"));
    struct stat status {};
    ASSERT_EQ(::stat(where.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700u);
  }
  EXPECT_FALSE(std::filesystem::exists(where));
}

}  // namespace
}  // namespace nur
