#include "host/sandbox/stack_slot.h"

#include <cstring>

#include <gtest/gtest.h>

#include "host/sandbox/memory_slot.h"

namespace nur {
namespace {

TEST(StackSlot, IsUsableFromTopToGuard) {
  const MemorySlot slot = *MemorySlot::reserve(4096, 16384);
  const StackSlot stack = slot.stack();

  std::memset(static_cast<char*>(stack.landing()) - 16384, 1, 16384);

  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(stack.landing()) - 16384, stack.guard_end());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(stack.top()) - stack.usable_bytes(),
            stack.guard_end());
}

TEST(StackSlot, KeepsRoomAboveItsTopForLeavingIt) {
  const MemorySlot slot = *MemorySlot::reserve(4096, 16384);
  const StackSlot stack = slot.stack();

  EXPECT_GE(static_cast<char*>(stack.landing()) - static_cast<char*>(stack.top()), 256);
  EXPECT_EQ(stack.frames().size(), stack.usable_bytes());
  EXPECT_EQ(static_cast<const void*>(stack.frames().data() + stack.frames().size()), stack.top());
}

TEST(StackSlotDeathTest, FaultsInItsGuard) {
  const MemorySlot slot = *MemorySlot::reserve(4096, 16384);
  const StackSlot stack = slot.stack();
  auto* const guard = reinterpret_cast<volatile char*>(stack.guard_end() - 1);

  EXPECT_EXIT(*guard = 1, ::testing::KilledBySignal(SIGSEGV), "");
}

}  // namespace
}  // namespace nur
