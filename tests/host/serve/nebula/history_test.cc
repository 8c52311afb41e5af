#include "host/serve/nebula/history.h"

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace nur {
namespace {

NebulaResult numbered(std::size_t number) {
  NebulaResult result;
  result.function = "f";
  result.input = std::to_string(number);
  result.result = "r";
  return result;
}

class NebulaHistoryTest : public ::testing::Test {
 protected:
  ScratchDir folder_ = *ScratchDir::create("nur-history-");
};

TEST_F(NebulaHistoryTest, HasTheNewestFirst) {
  const auto history = *NebulaHistory::open(std::nullopt);
  EXPECT_TRUE(history->newest_first().empty());
  for (std::size_t i = 0; i < 3; ++i) ASSERT_TRUE(history->add(numbered(i)));
  const std::vector<NebulaResult> results = history->newest_first();
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[0].input, "2");
  EXPECT_EQ(results[2].input, "0");
}
TEST_F(NebulaHistoryTest, KeepsAThousandAndNoMore) {
  const auto history = *NebulaHistory::open(std::nullopt);
  for (std::size_t i = 0; i < NebulaHistory::kSlots + 5; ++i) {
    ASSERT_TRUE(history->add(numbered(i)));
  }
  const std::vector<NebulaResult> results = history->newest_first();
  ASSERT_EQ(results.size(), NebulaHistory::kSlots);
  EXPECT_EQ(results.front().input, std::to_string(NebulaHistory::kSlots + 4));
  EXPECT_EQ(results.back().input, "5");
}
TEST_F(NebulaHistoryTest, LastsInAFolderAndKeepsItsOrder) {
  const Path folder = folder_.path() / "made" / "here";
  {
    const auto history = *NebulaHistory::open(folder);
    for (std::size_t i = 0; i < NebulaHistory::kSlots + 3; ++i) {
      ASSERT_TRUE(history->add(numbered(i)));
    }
  }
  const auto again = *NebulaHistory::open(folder);
  ASSERT_TRUE(again->add(numbered(9999)));
  const std::vector<NebulaResult> results = again->newest_first();
  ASSERT_EQ(results.size(), NebulaHistory::kSlots);
  EXPECT_EQ(results[0].input, "9999");
  EXPECT_EQ(results[1].input, std::to_string(NebulaHistory::kSlots + 2));
}
TEST_F(NebulaHistoryTest, IsSharedByProcesses) {
  const auto history = *NebulaHistory::open(std::nullopt);
  ASSERT_TRUE(history->add(numbered(1)));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(history->add(numbered(2)) ? 0 : 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  ASSERT_TRUE(history->add(numbered(3)));
  const std::vector<NebulaResult> results = history->newest_first();
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[0].input, "3");
  EXPECT_EQ(results[1].input, "2");
}
TEST_F(NebulaHistoryTest, CutsWhatDoesNotFit) {
  const auto history = *NebulaHistory::open(std::nullopt);
  NebulaResult large = numbered(7);
  large.result = std::string(1 << 20, '"');
  ASSERT_TRUE(history->add(large));
  large.result = std::string(100'000, '\xff');
  large.input = std::string(100'000, '\1');
  ASSERT_TRUE(history->add(large));
  const std::vector<NebulaResult> results = history->newest_first();
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[1].input, "7");
  EXPECT_GT(results[1].result.size(), 500U);
}
TEST_F(NebulaHistoryTest, LooksOverSlotsThatWereHalfWritten) {
  const auto history = *NebulaHistory::open(std::nullopt);
  for (std::size_t i = 0; i < 3; ++i) ASSERT_TRUE(history->add(numbered(i)));
  ASSERT_EQ(::pwrite(history->descriptor(), "x", 1, NebulaHistory::kSlotBytes + 40), 1);
  const std::uint32_t length = 1 << 30;
  ASSERT_EQ(::pwrite(history->descriptor(), &length, 4, 2 * NebulaHistory::kSlotBytes + 8), 4);
  const std::vector<NebulaResult> results = history->newest_first();
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].input, "0");
}
TEST_F(NebulaHistoryTest, RefusesAFileThatIsAnother) {
  ASSERT_TRUE(write_file(folder_.path() / NebulaHistory::kFileName, std::string(5 << 20, 'x')));
  const auto history = NebulaHistory::open(folder_.path());
  ASSERT_FALSE(history);
  EXPECT_EQ(history.error().kind, ErrorKind::invalid_input);
}
TEST_F(NebulaHistoryTest, RefusesAFolderThatCannotBeMade) {
  ASSERT_TRUE(write_file(folder_.path() / "file", ""));
  EXPECT_FALSE(NebulaHistory::open(folder_.path() / "file" / "below"));
}
TEST_F(NebulaHistoryTest, RefusesToFollowALink) {
  std::filesystem::create_symlink(folder_.path() / "elsewhere",
                                  folder_.path() / NebulaHistory::kFileName);
  EXPECT_FALSE(NebulaHistory::open(folder_.path()));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "elsewhere"));
}

}  // namespace
}  // namespace nur
