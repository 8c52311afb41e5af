#include "host/sandbox/reset_policy.h"

#include <string>

#include <gtest/gtest.h>

#include "host/sandbox/reset_history.h"

namespace nur {
namespace {

constexpr std::size_t kPagesOfAMebibyte = (1 << 20) / kPageBytes;

struct Row {
  const char* name;
  ResetFacts facts;
  ResetStrategy expected;
};

// memory, hot, requests, faults, overflows, can scan
constexpr Row kTable[] = {
    {"no_memory", {0, 0, 64, 0, 0, true}, ResetStrategy::learned},
    {"little_of_a_small_memory", {16, 3, 64, 0, 0, true}, ResetStrategy::learned},
    {"half_of_a_small_memory", {16, 8, 64, 0, 0, true}, ResetStrategy::learned},
    {"most_of_a_small_memory", {16, 9, 64, 0, 0, true}, ResetStrategy::copy_all},
    {"most_of_a_mebibyte", {kPagesOfAMebibyte, 200, 64, 0, 0, true}, ResetStrategy::copy_all},
    {"a_mebibyte_of_two", {2 * kPagesOfAMebibyte, 256, 64, 0, 0, true}, ResetStrategy::learned},
    {"other_pages_every_time", {16384, 200, 64, 640, 0, true}, ResetStrategy::scan},
    {"other_pages_every_time_without_the_call",
     {16384, 200, 64, 640, 0, false},
     ResetStrategy::discard},
    {"a_new_page_now_and_then", {16384, 200, 64, 128, 0, true}, ResetStrategy::learned},
    {"one_large_request_of_eight", {16384, 200, 64, 0, 8, true}, ResetStrategy::learned},
    {"more_large_requests", {16384, 200, 64, 0, 9, true}, ResetStrategy::scan},
    {"more_large_requests_without_the_call", {16384, 200, 64, 0, 9, false}, ResetStrategy::discard},
};

class ResetPolicy : public ::testing::TestWithParam<Row> {};

TEST_P(ResetPolicy, ChoosesByWhatRequestsDid) {
  EXPECT_EQ(to_string(choose_reset(GetParam().facts)), to_string(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(Table, ResetPolicy, ::testing::ValuesIn(kTable),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(ResetHistory, UnitesWhatInstancesLearn) {
  ResetHistory history(2, 100, true);
  PageSet one(102);
  one.add(10);
  PageSet other(102);
  other.add(20);

  history.add_hot(one);
  history.add_hot(other);

  EXPECT_TRUE(history.hot().has(10) && history.hot().has(20));
}

TEST(ResetHistory, StartsOverWhenRequestsWriteTooManyDifferentPages) {
  ResetHistory history(1, 1000, true);
  PageSet many(1001);
  many.add(PageRun{0, kResidentPagesMax + 2});

  history.add_hot(many);

  EXPECT_TRUE(history.hot().empty());
}

TEST(ResetHistory, LooksAtManyRequestsAndTriesLearningAgainMuchLater) {
  ResetHistory history(1, 10000, false);
  for (int i = 0; i < 63; ++i) history.count(10, false);
  EXPECT_EQ(history.strategy(), ResetStrategy::learned);
  history.count(10, false);
  EXPECT_EQ(history.strategy(), ResetStrategy::discard);

  for (int i = 0; i < 4095; ++i) history.count(0, false);
  EXPECT_EQ(history.strategy(), ResetStrategy::discard);
  history.count(0, false);
  EXPECT_EQ(history.strategy(), ResetStrategy::learned);
}

TEST(ResetHistory, MakesNoChoiceWhenItIsFixed) {
  ResetHistory history(1, 10000, true, ResetStrategy::copy_all);
  for (int i = 0; i < 10000; ++i) history.count(100, true);

  EXPECT_EQ(history.strategy(), ResetStrategy::copy_all);
}

}  // namespace
}  // namespace nur
