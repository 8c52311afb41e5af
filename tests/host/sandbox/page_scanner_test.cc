#include "host/sandbox/page_scanner.h"

#include <cstring>
#include <sys/mman.h>

#include <gtest/gtest.h>

#include "base/file.h"
#include "host/sandbox/memory_slot.h"

namespace nur {
namespace {

class PageScannerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Result<PageScanner> opened = PageScanner::open();
    if (!opened) GTEST_SKIP() << opened.error().message;
    scanner_.emplace(*std::move(opened));
    ASSERT_TRUE(slot_.commit_initial(kPages * kPageBytes));
    ASSERT_TRUE(slot_.map_file(8 * kPageBytes, 4 * kPageBytes, file_.get(), 0));
    ASSERT_EQ(::mprotect(slot_.memory(), kPages * kPageBytes, PROT_READ | PROT_WRITE), 0);
  }
  void write(std::size_t page) { slot_.memory()[page * kPageBytes] = std::byte{1}; }
  void read(std::size_t page) {
    static_cast<void>(*static_cast<volatile std::byte*>(slot_.memory() + page * kPageBytes));
  }
  std::vector<PageRun> written(std::size_t found_max = kPages) {
    std::vector<PageRun> runs;
    EXPECT_TRUE(scanner_->find_written(slot_.memory(), kPages, found_max, runs));
    return runs;
  }

  static constexpr std::size_t kPages = 4096;
  const Fd file_ = *sealed_memfd("pages", std::string(4 * kPageBytes, 'a'));
  MemorySlot slot_ = *MemorySlot::reserve(kPageBytes, 65536);
  std::optional<PageScanner> scanner_;
};

TEST_F(PageScannerTest, FindsWhatWasWrittenAndNotWhatWasRead) {
  for (const std::size_t page : {0, 7, 9, 12, 700}) read(page);
  write(3);
  write(4);
  write(9);
  write(4095);

  EXPECT_EQ(written(), (std::vector<PageRun>{{3, 5}, {9, 10}, {4095, 4096}}));
}

TEST_F(PageScannerTest, FindsMoreThanOneCallReturns) {
  for (std::size_t page = 0; page < kPages; page += 2) write(page);

  const std::vector<PageRun> runs = written();

  ASSERT_EQ(runs.size(), kPages / 2);
  EXPECT_EQ(runs[1000], (PageRun{2000, 2001}));
}

TEST_F(PageScannerTest, FindsNothingAfterPagesWereGivenBack) {
  write(3);
  write(9);
  slot_.discard();

  EXPECT_TRUE(written().empty());
}

TEST_F(PageScannerTest, SaysWhenThereAreMoreThanAskedFor) {
  for (std::size_t page = 0; page < 10; ++page) write(page);
  std::vector<PageRun> runs;

  EXPECT_FALSE(scanner_->find_written(slot_.memory(), kPages, 9, runs));
  EXPECT_TRUE(scanner_->find_written(slot_.memory(), kPages, 10, runs));
}

}  // namespace
}  // namespace nur
