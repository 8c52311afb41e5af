#include "host/kv/kv_queue.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

class KvQueueTest : public ::testing::Test {
 protected:
  void push(std::uint64_t asker, const std::string& space, const std::string& key) {
    queue_.push({asker, {.space = space, .key = key}});
  }
  // Keys, as "a1 b1".
  std::string take(std::size_t most, std::uint64_t but_of = 0) {
    taken_ = queue_.take(most, [=](std::uint64_t asker) { return asker != but_of; });
    std::string keys;
    for (const KvQueue::Entry& entry : taken_) {
      keys += (keys.empty() ? "" : " ") + entry.request.key;
    }
    return keys;
  }

  KvQueue queue_;
  std::vector<KvQueue::Entry> taken_;
};

TEST_F(KvQueueTest, LinesTakeTurns) {
  for (const char* const key : {"a1", "a2", "a3", "a4"}) push(1, "a", key);
  push(1, "b", "b1");
  push(2, "a", "c1");
  push(2, "a", "c2");
  EXPECT_EQ(take(4), "a1 b1 c1 a2");
  push(1, "b", "b2");
  EXPECT_EQ(take(10), "c2 a3 b2 a4");
  EXPECT_EQ(take(10), "");
}

TEST_F(KvQueueTest, WhatIsPutBackIsNextInTheSameOrder) {
  for (const char* const key : {"a1", "a2", "a3"}) push(1, "a", key);
  push(1, "b", "b1");
  push(1, "c", "c1");
  EXPECT_EQ(take(4), "a1 b1 c1 a2");
  for (std::size_t i = taken_.size(); i-- > 1;) queue_.put_back(taken_[i]);
  EXPECT_EQ(take(10), "b1 c1 a2 a3");
}

TEST_F(KvQueueTest, WhatIsPutBackForLaterIsTheFirstOfItsLineOnly) {
  for (const char* const key : {"a1", "a2"}) push(1, "a", key);
  push(1, "b", "b1");
  EXPECT_EQ(take(1), "a1");
  queue_.put_back_for_later(taken_[0]);
  EXPECT_EQ(take(10), "b1 a1 a2");
}

TEST_F(KvQueueTest, PassesWhoMayNotBeAskedFor) {
  push(1, "a", "a1");
  push(1, "b", "b1");
  push(2, "a", "c1");
  EXPECT_EQ(take(10, 1), "c1");
  EXPECT_EQ(take(10, 1), "");
  EXPECT_EQ(take(10), "a1 b1");
}

TEST_F(KvQueueTest, ForgetsWhoHasGone) {
  push(1, "a", "a1");
  push(2, "a", "c1");
  push(1, "b", "b1");
  queue_.forget(1);
  EXPECT_EQ(take(10), "c1");
  push(1, "a", "a2");
  EXPECT_EQ(take(10), "a2");
}

}  // namespace
}  // namespace nur
