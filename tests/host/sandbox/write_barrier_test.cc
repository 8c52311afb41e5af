#include "host/sandbox/write_barrier.h"

#include <cstring>
#include <sys/mman.h>

#include <gtest/gtest.h>

#include "host/sandbox/memory_slot.h"

namespace nur {
namespace {

// An area of three pages and 32 pages of memory, guarded.
class WriteBarrierTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kAreaPages = 3;
  static constexpr std::size_t kMemoryPages = 32;

  WriteBarrierTest() : slot_(*MemorySlot::reserve(kAreaPages * kPageBytes, 65536)) {
    EXPECT_TRUE(slot_.commit_initial(kMemoryPages * kPageBytes));
    std::memset(slot_.area(), 0x11, kAreaPages * kPageBytes);
    EXPECT_EQ(::mprotect(slot_.area() + kPageBytes, (kAreaPages - 1) * kPageBytes, PROT_READ), 0);
    barrier_ = WriteBarrier(slot_.area(), kAreaPages, kMemoryPages, slot_.saves());
  }

  bool fault_at(const std::byte* address) {
    return barrier_.admit_fault(reinterpret_cast<std::uintptr_t>(address));
  }

  MemorySlot slot_;
  WriteBarrier barrier_;
};

TEST_F(WriteBarrierTest, LetsAFaultThroughToItsPageOnly) {
  ASSERT_TRUE(fault_at(slot_.memory() + 5 * kPageBytes + 17));

  slot_.memory()[5 * kPageBytes] = std::byte{1};
  EXPECT_EQ(barrier_.writable().next_run(1), (PageRun{kAreaPages + 5, kAreaPages + 6}));
  EXPECT_EQ(barrier_.faults(), 1U);
}

TEST_F(WriteBarrierTest, DoesNotTakeAFaultElsewhereForItsOwn) {
  EXPECT_FALSE(fault_at(slot_.area() - 1));
  EXPECT_FALSE(fault_at(slot_.area())) << "the first page is writable: it cannot have faulted";
  EXPECT_FALSE(fault_at(slot_.memory() + kMemoryPages * kPageBytes));
  EXPECT_FALSE(fault_at(nullptr));
  EXPECT_EQ(barrier_.writable().size(), 1U);
}

TEST_F(WriteBarrierTest, LetsMorePagesThroughToWhoeverWritesUpwards) {
  for (std::byte* at = slot_.memory(); at < slot_.memory() + 31 * kPageBytes;) {
    ASSERT_TRUE(fault_at(at));
    at = barrier_.address_of(barrier_.writable().next_run(kAreaPages).end);
  }
  EXPECT_EQ(barrier_.faults(), 6U) << "1, 1, 2, 4, 8 and 16 pages";
}

TEST_F(WriteBarrierTest, StopsBeforePagesThatAreWritableAlready) {
  ASSERT_TRUE(barrier_.admit(slot_.memory() + 2 * kPageBytes, 1));
  ASSERT_TRUE(fault_at(slot_.memory()));
  ASSERT_TRUE(fault_at(slot_.memory() + kPageBytes));

  EXPECT_EQ(barrier_.writable().next_run(1), (PageRun{kAreaPages, kAreaPages + 3}));
}

TEST_F(WriteBarrierTest, MakesWritableWhatTheHostAsksFor) {
  ASSERT_TRUE(barrier_.admit(slot_.memory() + kPageBytes - 1, 2));
  std::memset(slot_.memory(), 1, 2 * kPageBytes);

  EXPECT_EQ(barrier_.writable().next_run(1), (PageRun{kAreaPages, kAreaPages + 2}));
  EXPECT_EQ(barrier_.faults(), 0U);
}

TEST_F(WriteBarrierTest, LeavesAloneWhatItDoesNotGuard) {
  const std::uint64_t version = barrier_.version();

  EXPECT_TRUE(barrier_.admit(slot_.memory() + kMemoryPages * kPageBytes, 100));
  EXPECT_TRUE(barrier_.admit(slot_.memory(), 0));
  EXPECT_EQ(barrier_.version(), version);
}

TEST_F(WriteBarrierTest, SavesPagesOfTheAreaBeforeTheirFirstWrite) {
  ASSERT_TRUE(fault_at(slot_.area() + 2 * kPageBytes + 8));
  std::memset(slot_.area() + 2 * kPageBytes, 0x22, kPageBytes);
  ASSERT_TRUE(barrier_.admit(slot_.area() + kPageBytes, 2 * kPageBytes)) << "saved once only";

  EXPECT_EQ(barrier_.save_of(2)[0], std::byte{0x11});
  EXPECT_EQ(barrier_.save_of(2)[kPageBytes - 1], std::byte{0x11});
  EXPECT_EQ(barrier_.save_of(1)[0], std::byte{0x11});
}

TEST_F(WriteBarrierTest, ProtectsMemoryAnewAndKeepsTheArea) {
  ASSERT_TRUE(barrier_.admit_all_memory());
  ASSERT_TRUE(fault_at(slot_.area() + kPageBytes));

  ASSERT_TRUE(barrier_.protect_memory());

  EXPECT_EQ(barrier_.writable().next_run(1), (PageRun{1, 2}));
  EXPECT_TRUE(fault_at(slot_.memory()));
}

TEST_F(WriteBarrierTest, IsBrokenWhenTheKernelRefuses) {
  // Nothing is mapped there any more.
  ASSERT_EQ(::munmap(slot_.memory(), kPageBytes), 0);

  EXPECT_FALSE(fault_at(slot_.memory()));

  EXPECT_TRUE(barrier_.broken());
}

}  // namespace
}  // namespace nur
