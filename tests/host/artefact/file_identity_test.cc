#include "host/artefact/file_identity.h"

#include <fstream>

#include <gtest/gtest.h>

namespace nur {
namespace {

class FileIdentityTest : public ::testing::Test {
 protected:
  void write(const std::string& text) const { std::ofstream(file_) << text; }

  ScratchDir folder_ = *ScratchDir::create("identity-");
  Path file_ = folder_.path() / "a.so";
};

TEST_F(FileIdentityTest, IsNoneOfAFileThatIsNotThere) { EXPECT_FALSE(FileIdentity::of(file_)); }

TEST_F(FileIdentityTest, OfAFileThatWasJustWrittenIsNoProofOfItsContent) {
  write("a");
  const std::optional<FileIdentity> identity = FileIdentity::of(file_);
  ASSERT_TRUE(identity);
  EXPECT_TRUE(identity->is_same_as(*identity));
  EXPECT_FALSE(identity->is_surely(*identity));
}

TEST_F(FileIdentityTest, IsAnotherWhenTheFileWasReplacedOrWritten) {
  write("a");
  FileIdentity before = *FileIdentity::of(file_);
  before.rests = true;
  EXPECT_TRUE(before.is_surely(before));

  write("ab");
  EXPECT_FALSE(FileIdentity::of(file_)->is_same_as(before));

  std::filesystem::rename(file_, folder_.path() / "old.so");
  write("a");
  EXPECT_FALSE(FileIdentity::of(file_)->is_same_as(before));
}

}  // namespace
}  // namespace nur
