// The address space of one instance, reused by one request after another.
//
//   reservation   instance area                 memory = area + instance_bytes
//     |-- guard --|-- header, globals, tables --|-- read/write --|-------- no access --------|
//        64 KiB                                     committed       up to 8 GiB and 64 KiB
//
// Generated code checks no bounds: a 32-bit index plus a 32-bit offset stays below 8 GiB, so with
// that much reserved every stray access faults inside this span, where trap_guard.h finds it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "nur/abi.h"

namespace nur {

class MemorySlot {
 public:
  // Reserves addresses and makes the instance area usable; no page of memory is yet.
  // `instance_bytes` is a multiple of 4,096. Errors: exhausted.
  static Result<MemorySlot> reserve(std::size_t instance_bytes);
  ~MemorySlot();
  MemorySlot(MemorySlot&& other) noexcept;
  MemorySlot& operator=(MemorySlot&&) = delete;

  // Makes memory up to `bytes` usable; new bytes read as zero. Never shrinks. `bytes` is a multiple
  // of 64 KiB. Errors: limit_exceeded above 4 GiB; exhausted.
  Result<void> commit(std::uint64_t bytes);

  // Takes memory above `bytes` away again: it faults until committed anew, and then reads as zero.
  // Errors: exhausted (the kernel's limit of mappings).
  Result<void> decommit_above(std::uint64_t bytes);

  // Gives the pages of memory back to the kernel; they read as zero, and stay usable.
  void discard();

  [[nodiscard]] nur_instance_header* instance() const {
    return reinterpret_cast<nur_instance_header*>(memory_ - instance_bytes_);
  }
  [[nodiscard]] std::byte* memory() const { return memory_; }
  [[nodiscard]] std::uint64_t committed_bytes() const { return committed_bytes_; }
  // All that generated code can reach: an access fault outside is not a guest's.
  [[nodiscard]] std::uintptr_t window_begin() const {
    return reinterpret_cast<std::uintptr_t>(memory_);
  }
  [[nodiscard]] std::uintptr_t window_end() const { return window_begin() + NUR_ADDRESSABLE_BYTES; }

 private:
  MemorySlot(std::byte* reservation, std::byte* memory, std::size_t instance_bytes)
      : reservation_(reservation), memory_(memory), instance_bytes_(instance_bytes) {}

  std::byte* reservation_;
  std::byte* memory_;
  std::size_t instance_bytes_;
  std::uint64_t committed_bytes_ = 0;
};

}  // namespace nur
