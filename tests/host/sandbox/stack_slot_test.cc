#include "host/sandbox/stack_slot.h"

#include <cstring>

#include <gtest/gtest.h>

namespace nur {
namespace {

TEST(StackSlot, IsUsableFromTopToGuard) {
  const StackSlot stack = *StackSlot::reserve(16384);

  std::memset(static_cast<char*>(stack.top()) - 16384, 1, 16384);

  EXPECT_EQ(stack.usable_bytes(), 16384U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(stack.top()) - 16384, stack.guard_end());
}

TEST(StackSlotDeathTest, FaultsInItsGuard) {
  const StackSlot stack = *StackSlot::reserve(16384);
  auto* const guard = reinterpret_cast<volatile char*>(stack.guard_end() - 1);

  EXPECT_EXIT(*guard = 1, ::testing::KilledBySignal(SIGSEGV), "");
}

}  // namespace
}  // namespace nur
