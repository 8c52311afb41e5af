#include "host/sandbox/memory_slot.h"

#include <cstring>

#include <gtest/gtest.h>

namespace nur {
namespace {

constexpr std::uint64_t kPage = 65536;

MemorySlot slot_of(std::size_t instance_bytes) { return *MemorySlot::reserve(instance_bytes); }

TEST(MemorySlot, PutsTheInstanceRightBelowTheMemory) {
  const MemorySlot slot = slot_of(8192);

  EXPECT_EQ(reinterpret_cast<std::byte*>(slot.instance()) + 8192, slot.memory());
}

TEST(MemorySlot, CommitsMemoryThatReadsAsZero) {
  MemorySlot slot = slot_of(4096);

  ASSERT_TRUE(slot.commit(2 * kPage));

  EXPECT_EQ(slot.committed_bytes(), 2 * kPage);
  for (std::uint64_t i = 0; i < 2 * kPage; i += 997) EXPECT_EQ(slot.memory()[i], std::byte{0});
}

TEST(MemorySlot, RefusesToCommitMoreThanFourGibibytes) {
  MemorySlot slot = slot_of(4096);

  const Result<void> committed = slot.commit((std::uint64_t{4} << 30) + kPage);

  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().kind, ErrorKind::limit_exceeded);
}

TEST(MemorySlot, ReadsAsZeroAgainWhereItWasDecommitted) {
  MemorySlot slot = slot_of(4096);
  ASSERT_TRUE(slot.commit(2 * kPage));
  std::memset(slot.memory(), 0xab, 2 * kPage);

  ASSERT_TRUE(slot.decommit_above(kPage));
  ASSERT_TRUE(slot.commit(2 * kPage));

  EXPECT_EQ(slot.memory()[kPage - 1], std::byte{0xab});
  EXPECT_EQ(slot.memory()[kPage], std::byte{0});
}

TEST(MemorySlot, ReadsAsZeroAfterItWasDiscarded) {
  MemorySlot slot = slot_of(4096);
  ASSERT_TRUE(slot.commit(kPage));
  std::memset(slot.memory(), 0xab, kPage);

  slot.discard();

  EXPECT_EQ(slot.memory()[0], std::byte{0});
  EXPECT_EQ(slot.memory()[kPage - 1], std::byte{0});
}

TEST(MemorySlotDeathTest, FaultsBelowTheInstanceAndAboveTheMemory) {
  MemorySlot slot = slot_of(4096);
  ASSERT_TRUE(slot.commit(kPage));
  auto* const below = reinterpret_cast<volatile char*>(slot.instance()) - 1;
  auto* const above = reinterpret_cast<volatile char*>(slot.memory()) + kPage;

  EXPECT_EXIT(*below = 1, ::testing::KilledBySignal(SIGSEGV), "");
  EXPECT_EXIT(*above = 1, ::testing::KilledBySignal(SIGSEGV), "");
}

}  // namespace
}  // namespace nur
