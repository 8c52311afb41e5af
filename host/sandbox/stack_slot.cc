#include "host/sandbox/stack_slot.h"

#include <sys/mman.h>
#include <utility>

#include "base/check.h"
#include "base/file.h"

namespace nur {
namespace {
constexpr std::size_t kGuardBytes = 64 << 10;
}

Result<StackSlot> StackSlot::reserve(std::size_t bytes) {
  NUR_CHECK(bytes % 4096 == 0);
  const std::size_t all = kGuardBytes + bytes;
  void* const mapped = ::mmap(nullptr, all, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (mapped == MAP_FAILED) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("reserving a guest stack"));
  }
  StackSlot slot(static_cast<std::byte*>(mapped), all);
  ::madvise(mapped, all, MADV_DONTDUMP);
  ::madvise(mapped, all, MADV_NOHUGEPAGE);
  if (::mprotect(slot.base_ + kGuardBytes, bytes, PROT_READ | PROT_WRITE) != 0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("making a guest stack usable"));
  }
  return slot;
}

StackSlot::StackSlot(StackSlot&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), all_bytes_(other.all_bytes_) {}

StackSlot::~StackSlot() {
  if (base_ != nullptr) ::munmap(base_, all_bytes_);
}

std::size_t StackSlot::usable_bytes() const { return all_bytes_ - kGuardBytes - kLandingBytes; }

std::uintptr_t StackSlot::guard_end() const { return guard_begin() + kGuardBytes; }

}  // namespace nur
