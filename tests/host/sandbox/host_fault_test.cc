// A fault of the host must never pass for a guest's: the process dies of it.
#include <csignal>

#include <gtest/gtest.h>

#include "tests/support/guest.h"

namespace nur {
namespace {

using test::load_wat;
using test::OneCall;
using test::run_guest;

constexpr std::string_view kCaller = R"((module
  (import "nur" "nur_end" (func $host))
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "poll_stream") (param i32 i32) (call $host))))";

// Not through null, which UndefinedBehaviorSanitizer would notice before the fault; nothing is ever
// mapped this low (vm.mmap_min_addr, and the program is a PIE).
HostReply write_where_nothing_is(void*, const GuestMemory&, nur_value*) {
  auto* const nowhere = reinterpret_cast<volatile int*>(std::uintptr_t{32} << 10);
  *nowhere = 1;
  return HostReply::resume();
}

// Within the guest's window, but by the host's code: the address alone must not excuse it.
HostReply write_into_the_guests_window(void*, const GuestMemory& memory, nur_value*) {
  const auto all = *memory.range(0, memory.size());
  *const_cast<volatile std::byte*>(all.data() + all.size()) = std::byte{1};
  return HostReply::resume();
}

// In pages of the guest that nobody has written yet, past the accessor that makes them writable.
HostReply write_without_asking(void*, const GuestMemory& memory, nur_value*) {
  *const_cast<volatile std::byte*>(memory.range(4096, 1)->data()) = std::byte{1};
  return HostReply::resume();
}

HostReply raise_a_fault(void*, const GuestMemory&, nur_value*) {
  ::raise(SIGSEGV);
  return HostReply::resume();
}

void run_with(HostFunction function) {
  const auto module = load_wat(kCaller);
  const auto instance = *Instance::create(*module, SandboxLimits{});
  const std::vector<HostFunction> functions{function};
  OneCall one(module->manifest(), "poll_stream", {0, 0});
  run_guest(*instance, one, functions);
}

TEST(HostFaultDeathTest, InAHostFunctionKillsTheProcess) {
  EXPECT_EXIT(run_with(write_where_nothing_is), ::testing::KilledBySignal(SIGSEGV), "");
}

TEST(HostFaultDeathTest, AtAnAddressOfTheGuestKillsTheProcess) {
  EXPECT_EXIT(run_with(write_into_the_guests_window), ::testing::KilledBySignal(SIGSEGV), "");
}

TEST(HostFaultDeathTest, AtAPageThatItDidNotAskForKillsTheProcess) {
  EXPECT_EXIT(run_with(write_without_asking), ::testing::KilledBySignal(SIGSEGV), "");
}

// Only the guest on the CPU is let through to its own pages.
TEST(HostFaultDeathTest, AtAPageOfAnotherGuestKillsTheProcess) {
  const auto module = load_wat(kCaller);
  const auto other = *Instance::create(*module, SandboxLimits{});
  const auto bytes = *other->memory().range(0, 1);
  const auto write_to_other = [&] {
    *const_cast<volatile std::byte*>(bytes.data()) = std::byte{1};
  };
  test::trap_guard();

  EXPECT_EXIT(write_to_other(), ::testing::KilledBySignal(SIGSEGV), "");
}

TEST(HostFaultDeathTest, SentByKillIsNotTakenForAGuests) {
  EXPECT_EXIT(run_with(raise_a_fault), ::testing::KilledBySignal(SIGSEGV), "");
}

TEST(HostFaultDeathTest, WithoutAnyGuestKillsTheProcess) {
  test::trap_guard();
  EXPECT_EXIT(write_where_nothing_is(nullptr, GuestMemory(nullptr, 0), nullptr),
              ::testing::KilledBySignal(SIGSEGV), "");
}

}  // namespace
}  // namespace nur
