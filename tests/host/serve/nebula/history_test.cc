#include "host/serve/nebula/history.h"

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "host/serve/nebula/history_page.h"

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
TEST_F(NebulaHistoryTest, CutsLongInputsAndResults) {
  const auto history = *NebulaHistory::open(std::nullopt);
  NebulaResult large = numbered(7);
  large.result = std::string(1 << 20, '"');
  ASSERT_TRUE(history->add(large));
  large.result = std::string(199, 'x') + "\u00e4" + std::string(100, 'y');
  large.input = std::string(100'000, '\1');
  ASSERT_TRUE(history->add(large));
  large.result = std::string(100'000, '\xff');
  ASSERT_TRUE(history->add(large));
  const std::vector<NebulaResult> results = history->newest_first();
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[2].input, "7");
  EXPECT_EQ(results[2].result, std::string(200, '"') + "\u2026");
  EXPECT_EQ(results[1].input, std::string(200, '\1') + "\u2026");
  // Never in the middle of a character.
  EXPECT_EQ(results[1].result, std::string(199, 'x') + "\u2026");
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
TEST_F(NebulaHistoryTest, APageSaysWhatTheListOfAllSays) {
  const auto history = *NebulaHistory::open(std::nullopt);
  NebulaHistoryPage page(*history);
  EXPECT_EQ(page.html(), history_html({}));
  for (std::size_t i = 0; i < 2 * NebulaHistory::kSlots + 7; ++i) {
    NebulaResult result = numbered(i);
    result.startup_us = i;
    result.total_us = 3 * i + 1;
    if (i % 3 == 0) result.func_type = "Docker";
    ASSERT_TRUE(history->add(result));
    if (i % 301 == 0) {
      EXPECT_EQ(page.html(), history_html(history->newest_first()));
    }
  }
  EXPECT_EQ(page.html(), history_html(history->newest_first()));
}
TEST_F(NebulaHistoryTest, APageReadsOnlyWhatIsNew) {
  const auto history = *NebulaHistory::open(std::nullopt);
  NebulaHistoryPage page(*history);
  for (std::size_t i = 0; i < NebulaHistory::kSlots; ++i) ASSERT_TRUE(history->add(numbered(i)));
  const std::string before = page.html();
  // What it has read already may be anything.
  const std::string noise(NebulaHistory::kSlots * NebulaHistory::kSlotBytes, 'x');
  ASSERT_EQ(::pwrite(history->descriptor(), noise.data(), noise.size(), 0),
            static_cast<ssize_t>(noise.size()));
  EXPECT_EQ(page.html(), before);
  ASSERT_TRUE(history->add(numbered(5555)));
  const std::string after = page.html();
  EXPECT_NE(after.find("<p>5555 =&gt; r</p>"), std::string::npos);
  EXPECT_NE(after.find("<p>1 =&gt; r</p>"), std::string::npos);
  EXPECT_EQ(after.find("<p>0 =&gt; r</p>"), std::string::npos);
}
// Another worker has its number and not yet written.
TEST_F(NebulaHistoryTest, APageHasACallThatWasWrittenLate) {
  const auto history = *NebulaHistory::open(std::nullopt);
  NebulaHistoryPage page(*history);
  for (std::size_t i = 1; i <= 3; ++i) ASSERT_TRUE(history->add(numbered(i)));
  std::string slot(NebulaHistory::kSlotBytes, ' ');
  const auto at = static_cast<off_t>(NebulaHistory::kSlotBytes);
  const ssize_t bytes = ::pread(history->descriptor(), slot.data(), slot.size(), at);
  ASSERT_GT(bytes, 0);
  const std::string zeros(slot.size(), '\0');
  ASSERT_EQ(::pwrite(history->descriptor(), zeros.data(), zeros.size(), at), std::ssize(zeros));
  EXPECT_EQ(page.html().find("<p>2 =&gt; r</p>"), std::string::npos);
  ASSERT_EQ(::pwrite(history->descriptor(), slot.data(), slot.size(), at), std::ssize(slot));
  const std::string whole = page.html();
  EXPECT_LT(whole.find("<p>3 =&gt; r</p>"), whole.find("<p>2 =&gt; r</p>"));
  EXPECT_LT(whole.find("<p>2 =&gt; r</p>"), whole.find("<p>1 =&gt; r</p>"));
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
