#include "compiler/object_cache.h"

#include <chrono>
#include <sys/stat.h>

#include <gtest/gtest.h>

namespace nur {
namespace {

constexpr std::string_view kKey = "0123456789abcdef";
constexpr std::string_view kOtherKey = "0123456789abcdee";

class ObjectCacheTest : public ::testing::Test {
 protected:
  Path entry() const { return folder_ / "01" / "23456789abcdef"; }

  ScratchDir scratch_ = *ScratchDir::create("nur-cache-");
  Path folder_ = scratch_.path() / "made" / "by-open";
  ObjectCache cache_ = *ObjectCache::open(folder_);
};

TEST_F(ObjectCacheTest, FindsWhatWasStored) {
  EXPECT_FALSE(cache_.find(kKey));

  cache_.store(kKey, "an object");

  EXPECT_EQ(cache_.find(kKey), "an object");
  EXPECT_FALSE(cache_.find(kOtherKey));
  EXPECT_EQ(ObjectCache::open(folder_)->find(kKey), "an object");
}

TEST_F(ObjectCacheTest, FindsNothingInAnEntryThatWasChanged) {
  cache_.store(kKey, "an object");
  const std::string whole = *read_file(entry(), 1000);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    ASSERT_TRUE(write_file(entry(), changed));

    EXPECT_FALSE(cache_.find(kKey)) << at;
  }
}

TEST_F(ObjectCacheTest, FindsNothingInAnEntryThatWasCut) {
  cache_.store(kKey, "an object");
  const std::string whole = *read_file(entry(), 1000);
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    ASSERT_TRUE(write_file(entry(), whole.substr(0, bytes)));

    EXPECT_FALSE(cache_.find(kKey)) << bytes;
  }
}

TEST_F(ObjectCacheTest, PutsAGoodEntryInPlaceOfADamagedOne) {
  cache_.store(kKey, "an object");
  ASSERT_TRUE(write_file(entry(), "damage"));

  cache_.store(kKey, "an object");

  EXPECT_EQ(cache_.find(kKey), "an object");
}

TEST_F(ObjectCacheTest, LeavesNoTemporaryFile) {
  cache_.store(kKey, "an object");
  std::filesystem::create_directory(folder_ / "ff");
  std::filesystem::create_directories(folder_ / "01" / "23456789abcdee");  // in the way

  cache_.store(kOtherKey, "another");

  std::size_t files = 0;
  for (const auto& found : std::filesystem::recursive_directory_iterator(folder_)) {
    if (found.is_regular_file()) ++files;
  }
  EXPECT_EQ(files, 1U);
}

TEST_F(ObjectCacheTest, TrimsWhatWasUsedLeastRecently) {
  const ObjectCache small = *ObjectCache::open(folder_, 700);
  small.store(kKey, std::string(300, 'a'));
  small.store(kOtherKey, std::string(300, 'b'));
  small.store("fedcba9876543210", std::string(50, 'c'));
  const auto now = std::filesystem::file_time_type::clock::now();
  std::filesystem::last_write_time(entry(), now - std::chrono::hours(2));
  std::filesystem::last_write_time(folder_ / "01" / "23456789abcdee", now - std::chrono::hours(1));
  ASSERT_TRUE(small.find(kKey));  // which makes it the newest

  small.trim();

  EXPECT_TRUE(small.find(kKey));
  EXPECT_FALSE(small.find(kOtherKey));
  EXPECT_TRUE(small.find("fedcba9876543210"));
}

TEST_F(ObjectCacheTest, RefusesAFolderThatOthersMayWriteTo) {
  ASSERT_EQ(::chmod(folder_.c_str(), 0770), 0);

  const Result<ObjectCache> opened = ObjectCache::open(folder_);

  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::invalid_input);
  EXPECT_NE(opened.error().message.find("chmod go-w"), std::string::npos);
}

TEST_F(ObjectCacheTest, RefusesAFolderOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  ASSERT_EQ(::chown(folder_.c_str(), 12345, 12345), 0);

  const Result<ObjectCache> opened = ObjectCache::open(folder_);

  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("belongs to another user"), std::string::npos);
}

TEST_F(ObjectCacheTest, RefusesAFile) {
  const Path file = scratch_.path() / "file";
  ASSERT_TRUE(write_file(file, ""));

  const Result<ObjectCache> opened = ObjectCache::open(file);

  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("not a folder"), std::string::npos);
}

}  // namespace
}  // namespace nur
