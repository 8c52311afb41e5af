#include "host/sandbox/memory_slot.h"

#include <sys/mman.h>
#include <utility>

#include "base/check.h"
#include "base/file.h"

namespace nur {
namespace {

constexpr std::size_t kGuardBytes = 64 << 10;
constexpr std::uint64_t kMemoryBytesMax = std::uint64_t{4} << 30;

std::size_t reservation_bytes(std::size_t instance_bytes) {
  return kGuardBytes + instance_bytes + NUR_ADDRESSABLE_BYTES;
}

}  // namespace

Result<MemorySlot> MemorySlot::reserve(std::size_t instance_bytes) {
  NUR_CHECK(instance_bytes % 4096 == 0);
  const std::size_t bytes = reservation_bytes(instance_bytes);
  void* const reserved =
      ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("reserving 8 GiB of addresses"));
  }
  auto* const base = static_cast<std::byte*>(reserved);
  MemorySlot slot(base, base + kGuardBytes + instance_bytes, instance_bytes);
  // Guests' data have no business in core dumps; huge pages would zero 2 MiB for a guest's four.
  ::madvise(reserved, bytes, MADV_DONTDUMP);
  ::madvise(reserved, bytes, MADV_NOHUGEPAGE);
  if (::mprotect(base + kGuardBytes, instance_bytes, PROT_READ | PROT_WRITE) != 0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("making an instance area usable"));
  }
  return slot;
}

MemorySlot::MemorySlot(MemorySlot&& other) noexcept
    : reservation_(std::exchange(other.reservation_, nullptr)),
      memory_(other.memory_),
      instance_bytes_(other.instance_bytes_),
      committed_bytes_(other.committed_bytes_) {}

MemorySlot::~MemorySlot() {
  if (reservation_ != nullptr) ::munmap(reservation_, reservation_bytes(instance_bytes_));
}

Result<void> MemorySlot::commit(std::uint64_t bytes) {
  if (bytes > kMemoryBytesMax) {
    return fail(ErrorKind::limit_exceeded, "committing {} bytes of memory: 4 GiB are all", bytes);
  }
  if (bytes <= committed_bytes_) return {};
  if (::mprotect(memory_ + committed_bytes_, bytes - committed_bytes_, PROT_READ | PROT_WRITE) !=
      0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("committing memory"));
  }
  committed_bytes_ = bytes;
  return {};
}

Result<void> MemorySlot::decommit_above(std::uint64_t bytes) {
  if (bytes >= committed_bytes_) return {};
  std::byte* const from = memory_ + bytes;
  const std::size_t length = committed_bytes_ - bytes;
  if (::madvise(from, length, MADV_DONTNEED) != 0 || ::mprotect(from, length, PROT_NONE) != 0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("taking memory back"));
  }
  committed_bytes_ = bytes;
  return {};
}

void MemorySlot::discard() {
  if (committed_bytes_ == 0) return;
  // Cannot fail on anonymous private memory that is mapped (madvise(2)).
  NUR_CHECK(::madvise(memory_, committed_bytes_, MADV_DONTNEED) == 0);
}

}  // namespace nur
