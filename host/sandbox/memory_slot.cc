#include "host/sandbox/memory_slot.h"

#include <sys/mman.h>
#include <utility>

#include "base/check.h"
#include "base/file.h"
#include "host/sandbox/page_set.h"

namespace nur {
namespace {

constexpr std::uint64_t kMemoryBytesMax = std::uint64_t{4} << 30;
constexpr std::size_t kAlignment = 2 << 20;
// The room for leaving it, and what shallow calls and the probe for host calls touch.
constexpr std::size_t kStackBytesKept = 4 * kPageBytes;

std::size_t saves_bytes(std::size_t instance_bytes) { return instance_bytes - kPageBytes; }

// What lies below linear memory.
std::size_t below_memory(std::size_t instance_bytes, std::size_t stack_bytes) {
  return StackSlot::kGuardBytes + stack_bytes + saves_bytes(instance_bytes) + instance_bytes;
}

Result<void> check_size(std::uint64_t bytes) {
  if (bytes <= kMemoryBytesMax) return {};
  return fail(ErrorKind::limit_exceeded, "committing {} bytes of memory: 4 GiB are all", bytes);
}

}  // namespace

std::size_t MemorySlot::reservation_bytes(std::size_t instance_bytes, std::size_t stack_bytes) {
  const std::size_t needed = below_memory(instance_bytes, stack_bytes) + NUR_ADDRESSABLE_BYTES;
  return (needed + kAlignment - 1) / kAlignment * kAlignment;
}

Result<MemorySlot> MemorySlot::reserve(std::size_t instance_bytes, std::size_t stack_bytes) {
  NUR_CHECK(instance_bytes % kPageBytes == 0 && instance_bytes > 0);
  NUR_CHECK(stack_bytes % kPageBytes == 0);
  const std::size_t bytes = reservation_bytes(instance_bytes, stack_bytes);
  void* const reserved =
      ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("reserving 8 GiB of addresses"));
  }
  auto* const base = static_cast<std::byte*>(reserved);
  MemorySlot slot(base, instance_bytes, stack_bytes);
  // Guests' data have no business in core dumps; huge pages would zero 2 MiB for a guest's four.
  ::madvise(reserved, bytes, MADV_DONTDUMP);
  ::madvise(reserved, bytes, MADV_NOHUGEPAGE);
  std::byte* const usable = base + StackSlot::kGuardBytes;
  if (::mprotect(usable, static_cast<std::size_t>(slot.memory_ - usable), PROT_READ | PROT_WRITE) !=
      0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("making an instance area usable"));
  }
  return slot;
}

MemorySlot::MemorySlot(std::byte* reservation, std::size_t instance_bytes, std::size_t stack_bytes)
    : reservation_(reservation),
      memory_(reservation + below_memory(instance_bytes, stack_bytes)),
      instance_bytes_(instance_bytes),
      stack_bytes_(stack_bytes) {}

MemorySlot::MemorySlot(MemorySlot&& other) noexcept
    : reservation_(std::exchange(other.reservation_, nullptr)),
      memory_(other.memory_),
      instance_bytes_(other.instance_bytes_),
      stack_bytes_(other.stack_bytes_),
      initial_bytes_(other.initial_bytes_),
      committed_bytes_(other.committed_bytes_) {}

MemorySlot::~MemorySlot() {
  if (reservation_ == nullptr) return;
  ::munmap(reservation_, reservation_bytes(instance_bytes_, stack_bytes_));
}

std::byte* MemorySlot::saves() const { return area() - saves_bytes(instance_bytes_); }

Result<void> MemorySlot::commit_initial(std::uint64_t bytes) {
  NUR_CHECK(committed_bytes_ == 0);
  NUR_TRY(check_size(bytes));
  if (bytes == 0) return {};
  if (::mprotect(memory_, bytes, PROT_READ) != 0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("committing memory"));
  }
  initial_bytes_ = committed_bytes_ = bytes;
  return {};
}

Result<void> MemorySlot::map_file(std::uint64_t offset, std::uint64_t bytes, int file,
                                  std::uint64_t file_offset) {
  NUR_CHECK(bytes <= committed_bytes_ && offset <= committed_bytes_ - bytes);
  void* const mapped =
      ::mmap(memory_ + offset, bytes, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, file,
             static_cast<off_t>(file_offset));
  if (mapped == MAP_FAILED) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("mapping initial memory"));
  }
  ::madvise(mapped, bytes, MADV_DONTDUMP);
  return {};
}

Result<void> MemorySlot::grow(std::uint64_t bytes) {
  NUR_TRY(check_size(bytes));
  if (bytes <= committed_bytes_) return {};
  if (::mprotect(memory_ + committed_bytes_, bytes - committed_bytes_, PROT_READ | PROT_WRITE) !=
      0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("committing memory"));
  }
  committed_bytes_ = bytes;
  return {};
}

Result<void> MemorySlot::shrink() {
  if (committed_bytes_ == initial_bytes_) return {};
  std::byte* const from = memory_ + initial_bytes_;
  const std::size_t length = committed_bytes_ - initial_bytes_;
  if (::madvise(from, length, MADV_DONTNEED) != 0 || ::mprotect(from, length, PROT_NONE) != 0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("taking memory back"));
  }
  committed_bytes_ = initial_bytes_;
  return {};
}

void MemorySlot::trim_stack() {
  if (stack_bytes_ <= kStackBytesKept) return;
  ::madvise(reservation_ + StackSlot::kGuardBytes, stack_bytes_ - kStackBytesKept, MADV_DONTNEED);
}

void MemorySlot::discard() {
  if (initial_bytes_ == 0) return;
  // Cannot fail on private memory that is mapped (madvise(2)).
  NUR_CHECK(::madvise(memory_, initial_bytes_, MADV_DONTNEED) == 0);
}

}  // namespace nur
