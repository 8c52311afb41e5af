#include "host/process/folder_watch.h"

#include <fcntl.h>
#include <fstream>
#include <unistd.h>

#include <gtest/gtest.h>

namespace nur {
namespace {

class FolderWatchTest : public ::testing::Test {
 protected:
  FolderWatchTest() { watch_->set({folder_.path()}); }

  // Whether something was noticed since the last time.
  bool noticed() {
    for (int turn = 0; turn < 3; ++turn) EXPECT_TRUE(loop_->run_once(Milliseconds(0)));
    return std::exchange(changes_, 0) > 0;
  }
  void write(const Path& file) const { std::ofstream(file) << "text"; }

  SystemClock clock_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::open(clock_);
  ScratchDir folder_ = *ScratchDir::create("watched-");
  ScratchDir other_ = *ScratchDir::create("other-");
  int changes_ = 0;
  std::unique_ptr<FolderWatch> watch_ = *FolderWatch::open(*loop_, [this] { ++changes_; });
};

TEST_F(FolderWatchTest, NoticesAFileWhenItIsWholeAndNotBefore) {
  const Path file = folder_.path() / "a.so";
  Fd writing(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  ASSERT_EQ(::write(writing.get(), "half", 4), 4);
  EXPECT_FALSE(noticed());
  writing.reset();
  EXPECT_TRUE(noticed());
}

TEST_F(FolderWatchTest, NoticesWhatIsMovedLinkedAndRemoved) {
  write(other_.path() / "a.so");
  std::filesystem::rename(other_.path() / "a.so", folder_.path() / "a.so");
  EXPECT_TRUE(noticed());
  std::filesystem::create_symlink("a.so", folder_.path() / "b.so");
  EXPECT_TRUE(noticed());
  std::filesystem::create_hard_link(folder_.path() / "a.so", folder_.path() / "c.so");
  EXPECT_TRUE(noticed());
  std::filesystem::rename(folder_.path() / "a.so", other_.path() / "a.so");
  EXPECT_TRUE(noticed());
  std::filesystem::remove(folder_.path() / "b.so");
  EXPECT_TRUE(noticed());
}

TEST_F(FolderWatchTest, NoticesModulesAndSettingsAndNoOtherNames) {
  for (const char* const name : {"a.wasm", "a.wat", "nur.toml"}) {
    write(folder_.path() / name);
    EXPECT_TRUE(noticed()) << name;
  }
  for (const char* const name : {"a.so.part", ".nur.toml.swp", "readme", "4913"}) {
    write(folder_.path() / name);
    EXPECT_FALSE(noticed()) << name;
  }
  std::filesystem::create_directory(folder_.path() / "folder.so");
  EXPECT_FALSE(noticed());
}

TEST_F(FolderWatchTest, WatchesOnlyTheFoldersThatItWasGivenLast) {
  watch_->set({other_.path(), other_.path() / "nowhere"});
  write(folder_.path() / "a.so");
  EXPECT_FALSE(noticed());
  write(other_.path() / "a.so");
  EXPECT_TRUE(noticed());
}

TEST_F(FolderWatchTest, NoticesThatAFolderIsGone) {
  std::filesystem::remove(folder_.path());
  EXPECT_TRUE(noticed());
}

}  // namespace
}  // namespace nur
