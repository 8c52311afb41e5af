#include "host/upload/upload_folder.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <set>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace nur {
namespace {

class UploadFolderTest : public ::testing::Test {
 protected:
  std::set<std::string> names() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      names.insert(entry.path().filename());
    }
    return names;
  }
  std::string content(const std::string& name) const { return *read_file(path_ / name, 1 << 20); }

  using Names = std::set<std::string>;
  ScratchDir scratch_ = *ScratchDir::create("upload-folder");
  const Path& path_ = scratch_.path();
  UploadFolder folder_ = *UploadFolder::open(path_);
};

TEST_F(UploadFolderTest, CreatesThenReplaces) {
  EXPECT_EQ(*folder_.put("a.so", "one"), UploadFolder::Put::created);
  EXPECT_EQ(content("a.so"), "one");
  EXPECT_EQ(*folder_.put("a.so", "another"), UploadFolder::Put::replaced);
  EXPECT_EQ(content("a.so"), "another");
  EXPECT_EQ(names(), Names{"a.so"});
}

TEST_F(UploadFolderTest, ReplacesALinkAndNotWhatItLeadsTo) {
  ASSERT_TRUE(write_file(path_ / "target", "kept"));
  ASSERT_EQ(::symlink("target", (path_ / "a.so").c_str()), 0);
  EXPECT_EQ(*folder_.put("a.so", "new"), UploadFolder::Put::replaced);
  EXPECT_EQ(content("target"), "kept");
  EXPECT_EQ(content("a.so"), "new");
  EXPECT_TRUE(std::filesystem::is_regular_file(std::filesystem::symlink_status(path_ / "a.so")));
  ASSERT_EQ(::symlink("target", (path_ / "b.so").c_str()), 0);
  EXPECT_TRUE(folder_.remove("b.so"));
  EXPECT_EQ(content("target"), "kept");
}

TEST_F(UploadFolderTest, RefusesTheNameOfAFolder) {
  std::filesystem::create_directory(path_ / "a.so");
  const Result<UploadFolder::Put> put = folder_.put("a.so", "new");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().kind, ErrorKind::invalid_input);
  const Result<void> removed = folder_.remove("a.so");
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind, ErrorKind::invalid_input);
  EXPECT_EQ(names(), Names{"a.so"});
}

TEST_F(UploadFolderTest, RemovesWhatIsThere) {
  ASSERT_TRUE(folder_.put("a.so", "one"));
  EXPECT_TRUE(folder_.has("a.so"));
  EXPECT_TRUE(folder_.remove("a.so"));
  EXPECT_FALSE(folder_.has("a.so"));
  const Result<void> again = folder_.remove("a.so");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::not_found);
}

TEST_F(UploadFolderTest, ListsFunctionsByName) {
  for (const char* name : {"b.so", "a.wasm", "nur.toml", ".hidden.so", "c.txt"}) {
    ASSERT_TRUE(write_file(path_ / name, "12345"));
  }
  std::filesystem::create_directory(path_ / "d.so");
  ASSERT_EQ(::symlink("b.so", (path_ / "e.so").c_str()), 0);
  ASSERT_EQ(::symlink("nowhere", (path_ / "f.so").c_str()), 0);
  const Result<std::vector<UploadFolder::File>> files = folder_.list();
  ASSERT_TRUE(files);
  Names listed;
  for (const UploadFolder::File& file : *files) {
    listed.insert(file.name);
    EXPECT_EQ(file.bytes, 5U);
  }
  EXPECT_EQ(listed, (Names{"a.wasm", "b.so", "e.so"}));
}

TEST_F(UploadFolderTest, RemovesWhatWritersLeftThatAreGone) {
  ASSERT_TRUE(write_file(path_ / ".nur-upload-0123.tmp", "half"));
  ASSERT_TRUE(write_file(path_ / ".nur-upload-4567.tmp", "being written"));
  ASSERT_TRUE(write_file(path_ / ".other.tmp", "another's"));
  const Fd writer(::open((path_ / ".nur-upload-4567.tmp").c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::flock(writer.get(), LOCK_EX), 0);
  folder_.remove_leftovers();
  EXPECT_EQ(names(), (Names{".nur-upload-4567.tmp", ".other.tmp"}));
}

TEST_F(UploadFolderTest, RefusesMoreFunctionsThanItMayHold) {
  for (std::size_t i = 0; i < UploadFolder::kFilesMax; ++i) {
    const Fd file(::open((path_ / (std::to_string(i) + ".so")).c_str(), O_WRONLY | O_CREAT, 0600));
    ASSERT_TRUE(file.is_open());
  }
  const Result<UploadFolder::Put> put = folder_.put("more.so", "one");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().kind, ErrorKind::limit_exceeded);
  EXPECT_FALSE(folder_.has("more.so"));
  EXPECT_EQ(*folder_.put("0.so", "one"), UploadFolder::Put::replaced);
  EXPECT_EQ(folder_.list()->size(), UploadFolder::kFilesMax);
}

TEST_F(UploadFolderTest, LeavesNothingWhereItCannotWrite) {
  ASSERT_TRUE(folder_.put("a.so", "one"));
  // No such device is full for everybody, but a file may not become longer for this process.
  const rlim_t bytes = 8;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit less{bytes, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &less), 0);
  const Result<UploadFolder::Put> put = folder_.put("a.so", "much longer than that");
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().kind, ErrorKind::exhausted);
  EXPECT_EQ(content("a.so"), "one");
  EXPECT_EQ(names(), Names{"a.so"});
}

TEST(UploadFolder, SaysWhichFolderIsNotThere) {
  const Result<UploadFolder> folder = UploadFolder::open("/nowhere/at/all");
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().kind, ErrorKind::not_found);
  EXPECT_NE(folder.error().message.find("/nowhere/at/all"), std::string::npos);
}

}  // namespace
}  // namespace nur
