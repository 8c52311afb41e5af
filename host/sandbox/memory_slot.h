// The address space of one instance, reused by one request after another.
//
//   reservation                                  area                   memory = area +
//   instance_bytes
//     |- guard -|----- stack -----|--- saves ---|- header, globals, -|-- initial --|- grown -|- no
//     ...
//       64 KiB   grows downwards                     tables
//      no access |----------------- read/write ----------------------|- the write barrier's -|-
//      access
//                                                                       up to 8 GiB and 64 KiB
//
// Generated code checks no bounds: a 32-bit index plus a 32-bit offset stays below 8 GiB, so with
// that much reserved every stray access faults inside this span, where trap_guard.h finds it.
//
// All of it is one reservation, in this order, because the kernel counts mappings (65,530 of them,
// vm.max_map_count) and neighbours with equal protection are one: stack, saves and area are, and so
// are the end of one slot and the guard of the next. The reservation is a multiple of 2 MiB, so
// that stack, area and the beginning of memory share one page of the page table.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "host/sandbox/stack_slot.h"
#include "nur/abi.h"

namespace nur {

class MemorySlot {
 public:
  // Reserves addresses and makes stack, saves and instance area usable; no page of memory is yet.
  // Both sizes are multiples of 4,096. Errors: exhausted.
  static Result<MemorySlot> reserve(std::size_t instance_bytes, std::size_t stack_bytes);
  ~MemorySlot();
  MemorySlot(MemorySlot&& other) noexcept;
  MemorySlot& operator=(MemorySlot&&) = delete;

  // How much address space a slot of this shape takes.
  static std::size_t reservation_bytes(std::size_t instance_bytes, std::size_t stack_bytes);

  // Makes memory up to `bytes` readable; it reads as zero. Once, before grow().
  // `bytes` is a multiple of 64 KiB. Errors: limit_exceeded above 4 GiB; exhausted.
  Result<void> commit_initial(std::uint64_t bytes);

  // Puts a part of a file there instead, readable; its pages are shared until somebody writes.
  // All three are multiples of 4,096, the part lies inside of what is committed.
  // Errors: exhausted.
  Result<void> map_file(std::uint64_t offset, std::uint64_t bytes, int file,
                        std::uint64_t file_offset);

  // Makes memory up to `bytes` usable, beyond the initial part, which it leaves alone; new bytes
  // read as zero. Never shrinks. Errors: as commit_initial().
  Result<void> grow(std::uint64_t bytes);

  // Takes memory above the initial part away again: it faults until it is grown anew, and then
  // reads as zero. No system call when there is none. Errors: exhausted (the kernel's limit of
  // mappings).
  Result<void> shrink();

  // Gives the pages of the stack back to the kernel, but those that every request uses.
  void trim_stack();

  // Gives the pages of initial memory back to the kernel: they read as when they were committed or
  // mapped, and stay as writable as they are.
  void discard();

  [[nodiscard]] nur_instance_header* instance() const {
    return reinterpret_cast<nur_instance_header*>(area());
  }
  [[nodiscard]] std::byte* area() const { return memory_ - instance_bytes_; }
  [[nodiscard]] std::size_t instance_bytes() const { return instance_bytes_; }
  // Room for all pages of the area but the first; no page of it is touched yet.
  [[nodiscard]] std::byte* saves() const;
  [[nodiscard]] StackSlot stack() const { return {reservation_, stack_bytes_}; }
  [[nodiscard]] std::byte* memory() const { return memory_; }
  [[nodiscard]] std::uint64_t initial_bytes() const { return initial_bytes_; }
  [[nodiscard]] std::uint64_t committed_bytes() const { return committed_bytes_; }
  // All that generated code can reach: an access fault outside is not a guest's.
  [[nodiscard]] std::uintptr_t window_begin() const {
    return reinterpret_cast<std::uintptr_t>(memory_);
  }
  [[nodiscard]] std::uintptr_t window_end() const { return window_begin() + NUR_ADDRESSABLE_BYTES; }

 private:
  MemorySlot(std::byte* reservation, std::size_t instance_bytes, std::size_t stack_bytes);

  std::byte* reservation_;
  std::byte* memory_;
  std::size_t instance_bytes_;
  std::size_t stack_bytes_;
  std::uint64_t initial_bytes_ = 0;
  std::uint64_t committed_bytes_ = 0;
};

}  // namespace nur
