#include "host/sandbox/stack_slot.h"

#include <cstring>

#include <gtest/gtest.h>

namespace nur {
namespace {

TEST(StackSlot, IsUsableFromTopToGuard) {
  const StackSlot stack = *StackSlot::reserve(16384);

  std::memset(static_cast<char*>(stack.landing()) - 16384, 1, 16384);

  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(stack.landing()) - 16384, stack.guard_end());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(stack.top()) - stack.usable_bytes(),
            stack.guard_end());
}

TEST(StackSlot, KeepsRoomAboveItsTopForLeavingIt) {
  const StackSlot stack = *StackSlot::reserve(16384);

  EXPECT_GE(static_cast<char*>(stack.landing()) - static_cast<char*>(stack.top()), 256);
  EXPECT_EQ(stack.frames().size(), stack.usable_bytes());
  EXPECT_EQ(static_cast<const void*>(stack.frames().data() + stack.frames().size()), stack.top());
}

TEST(StackSlotDeathTest, FaultsInItsGuard) {
  const StackSlot stack = *StackSlot::reserve(16384);
  auto* const guard = reinterpret_cast<volatile char*>(stack.guard_end() - 1);

  EXPECT_EXIT(*guard = 1, ::testing::KilledBySignal(SIGSEGV), "");
}

}  // namespace
}  // namespace nur
