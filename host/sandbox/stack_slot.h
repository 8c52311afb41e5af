// The native stack of one guest: its own mapping, with a guard below it.
//
//   guard_begin            guard_end                         top
//     |------ no access ------|---------- read/write ----------|
//              64 KiB                   grows downwards
//
// Generated code is compiled to touch every page of a large frame (-fstack-clash-protection), and
// touches one page ahead before it calls its host, so an overflow always faults in the guard, in
// guest code.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"

namespace nur {

class StackSlot {
 public:
  // `bytes` is a multiple of 4,096. Errors: exhausted.
  static Result<StackSlot> reserve(std::size_t bytes);
  ~StackSlot();
  StackSlot(StackSlot&& other) noexcept;
  StackSlot& operator=(StackSlot&&) = delete;

  [[nodiscard]] void* top() const { return base_ + guard_and_stack_bytes_; }
  [[nodiscard]] std::size_t usable_bytes() const;
  [[nodiscard]] std::uintptr_t guard_begin() const {
    return reinterpret_cast<std::uintptr_t>(base_);
  }
  [[nodiscard]] std::uintptr_t guard_end() const;

 private:
  StackSlot(std::byte* base, std::size_t bytes) : base_(base), guard_and_stack_bytes_(bytes) {}

  std::byte* base_;
  std::size_t guard_and_stack_bytes_;
};

}  // namespace nur
