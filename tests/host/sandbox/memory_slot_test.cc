#include "host/sandbox/memory_slot.h"

#include <csignal>
#include <cstring>
#include <sys/mman.h>

#include <gtest/gtest.h>

#include "base/file.h"

namespace nur {
namespace {

constexpr std::uint64_t kPage = 65536;

MemorySlot slot_of(std::size_t instance_bytes) {
  return *MemorySlot::reserve(instance_bytes, 65536);
}

// A file of two pages, the first of 'a', the second of 'b'.
Fd file_of_two_pages() {
  return *sealed_memfd("pages", std::string(4096, 'a') + std::string(4096, 'b'));
}

TEST(MemorySlot, PutsTheInstanceRightBelowTheMemory) {
  const MemorySlot slot = slot_of(8192);

  EXPECT_EQ(reinterpret_cast<std::byte*>(slot.instance()) + 8192, slot.memory());
}

TEST(MemorySlot, PutsStackAndSavesBelowTheInstance) {
  const MemorySlot slot = slot_of(12288);

  EXPECT_EQ(static_cast<std::byte*>(slot.stack().landing()), slot.saves());
  EXPECT_EQ(slot.saves() + 8192, slot.area());
}

TEST(MemorySlot, ReservesAllThatGeneratedCodeCanReach) {
  const std::size_t below = StackSlot::kGuardBytes + 65536 + 4096 + 8192;
  EXPECT_GE(MemorySlot::reservation_bytes(8192, 65536), below + NUR_ADDRESSABLE_BYTES);
}

TEST(MemorySlot, CommitsMemoryThatReadsAsZero) {
  MemorySlot slot = slot_of(4096);

  ASSERT_TRUE(slot.commit_initial(2 * kPage));

  EXPECT_EQ(slot.committed_bytes(), 2 * kPage);
  for (std::uint64_t i = 0; i < 2 * kPage; i += 997) EXPECT_EQ(slot.memory()[i], std::byte{0});
}

TEST(MemorySlot, RefusesToCommitMoreThanFourGibibytes) {
  MemorySlot slot = slot_of(4096);

  const Result<void> committed = slot.commit_initial((std::uint64_t{4} << 30) + kPage);
  const Result<void> grown = slot.grow((std::uint64_t{4} << 30) + kPage);

  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().kind, ErrorKind::limit_exceeded);
  ASSERT_FALSE(grown);
  EXPECT_EQ(grown.error().kind, ErrorKind::limit_exceeded);
}

TEST(MemorySlot, ShowsWhatIsMappedFromAFile) {
  MemorySlot slot = slot_of(4096);
  const Fd file = file_of_two_pages();
  ASSERT_TRUE(slot.commit_initial(kPage));

  ASSERT_TRUE(slot.map_file(8192, 4096, file.get(), 4096));

  EXPECT_EQ(slot.memory()[8191], std::byte{0});
  EXPECT_EQ(slot.memory()[8192], std::byte{'b'});
  EXPECT_EQ(slot.memory()[12287], std::byte{'b'});
  EXPECT_EQ(slot.memory()[12288], std::byte{0});
}

TEST(MemorySlot, ReadsAsZeroAgainWhereItWasGrown) {
  MemorySlot slot = slot_of(4096);
  ASSERT_TRUE(slot.commit_initial(kPage));
  ASSERT_TRUE(slot.grow(2 * kPage));
  std::memset(slot.memory() + kPage, 0xab, kPage);

  ASSERT_TRUE(slot.shrink());
  EXPECT_EQ(slot.committed_bytes(), kPage);
  ASSERT_TRUE(slot.grow(2 * kPage));

  EXPECT_EQ(slot.memory()[kPage], std::byte{0});
  EXPECT_EQ(slot.memory()[2 * kPage - 1], std::byte{0});
}

TEST(MemorySlot, ReadsAsAtFirstAfterItWasDiscarded) {
  MemorySlot slot = slot_of(4096);
  const Fd file = file_of_two_pages();
  ASSERT_TRUE(slot.commit_initial(kPage));
  ASSERT_TRUE(slot.map_file(0, 4096, file.get(), 0));
  ASSERT_EQ(::mprotect(slot.memory(), kPage, PROT_READ | PROT_WRITE), 0);
  std::memset(slot.memory(), 0xab, kPage);

  slot.discard();

  EXPECT_EQ(slot.memory()[0], std::byte{'a'});
  EXPECT_EQ(slot.memory()[4096], std::byte{0});
  EXPECT_EQ(slot.memory()[kPage - 1], std::byte{0});
}

TEST(MemorySlot, GivesBackAllOfTheStackButItsTop) {
  MemorySlot slot = slot_of(4096);
  auto* const top = static_cast<unsigned char*>(slot.stack().landing());
  std::memset(top - 65536, 1, 65536);

  slot.trim_stack();

  unsigned char resident[16];
  ASSERT_EQ(::mincore(top - 65536, 65536, resident), 0);
  EXPECT_EQ(resident[11] & 1, 0);
  EXPECT_EQ(resident[12] & 1, 1);
  EXPECT_EQ(top[-65536], 0);
  EXPECT_EQ(top[-1], 1);
}

TEST(MemorySlotDeathTest, FaultsBelowTheStackAndAboveTheMemoryAndIsReadOnlyBetween) {
  MemorySlot slot = slot_of(4096);
  ASSERT_TRUE(slot.commit_initial(kPage));
  auto* const below = reinterpret_cast<volatile char*>(slot.stack().guard_end()) - 1;
  auto* const inside = reinterpret_cast<volatile char*>(slot.memory());
  auto* const above = reinterpret_cast<volatile char*>(slot.memory()) + kPage;

  EXPECT_EXIT(*below = 1, ::testing::KilledBySignal(SIGSEGV), "");
  EXPECT_EXIT(*inside = 1, ::testing::KilledBySignal(SIGSEGV), "");
  EXPECT_EXIT(*above = 1, ::testing::KilledBySignal(SIGSEGV), "");
}

}  // namespace
}  // namespace nur
