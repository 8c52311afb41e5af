#include "host/sandbox/page_set.h"

#include <set>

#include <gtest/gtest.h>

namespace nur {
namespace {

TEST(PageSet, IsEmptyAtFirst) {
  const PageSet set(130);

  EXPECT_EQ(set.size(), 0U);
  EXPECT_EQ(set.next_run(0), (PageRun{130, 130}));
  EXPECT_EQ(set.find(0, false), 0U);
}

TEST(PageSet, FindsRunsAcrossWords) {
  PageSet set(200);
  set.add(PageRun{60, 70});
  set.add(127);
  set.add(128);

  EXPECT_EQ(set.next_run(0), (PageRun{60, 70}));
  EXPECT_EQ(set.next_run(65), (PageRun{65, 70}));
  EXPECT_EQ(set.next_run(70), (PageRun{127, 129}));
  EXPECT_EQ(set.next_run(129).size(), 0U);
  EXPECT_EQ(set.size(), 12U);
  EXPECT_EQ(set.size(65), 7U);
  EXPECT_EQ(set.size(128), 1U);
}

TEST(PageSet, EndsAtItsRoom) {
  PageSet set(64);
  set.add(PageRun{0, 64});

  EXPECT_EQ(set.find(0, false), 64U);
  EXPECT_EQ(set.next_run(0), (PageRun{0, 64}));
  EXPECT_EQ(PageSet(0).next_run(0), (PageRun{0, 0}));
}

TEST(PageSet, RemovesAndUnites) {
  PageSet set(100);
  PageSet other(100);
  set.add(PageRun{0, 100});
  other.add(50);

  set.remove({10, 90});
  set.add(other);

  EXPECT_EQ(set.size(), 21U);
  EXPECT_TRUE(set.has(50));
  EXPECT_FALSE(set.has(51));
}

TEST(MergeRuns, FillsTheSmallestGapsOnly) {
  std::vector<PageRun> runs{{0, 1}, {3, 4}, {5, 6}, {20, 21}, {23, 24}};
  merge_runs(runs, 3);
  EXPECT_EQ(runs, (std::vector<PageRun>{{0, 6}, {20, 21}, {23, 24}}));

  merge_runs(runs, 3);
  EXPECT_EQ(runs.size(), 3U);
  merge_runs(runs, 1);
  EXPECT_EQ(runs, (std::vector<PageRun>{{0, 24}}));
}

}  // namespace
}  // namespace nur
