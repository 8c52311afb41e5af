// The native stack of one guest: its own mapping, with a guard below it.
//
//   guard_begin            guard_end                         top    landing
//     |------ no access ------|---------- read/write ----------|-------|
//              64 KiB                   grows downwards
//
// Above the top is room for the guest to leave its stack from when it is stopped or switched out,
// so that its frames stay as they are for backtrace.h, and a full stack makes no difference. Guests
// that never are do not touch that page.
//
// Generated code is compiled to touch every page of a large frame (-fstack-clash-protection), and
// touches one page ahead before it calls its host, so an overflow always faults in the guard, in
// guest code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"

namespace nur {

class StackSlot {
 public:
  // `bytes` is a multiple of 4,096. Errors: exhausted.
  static Result<StackSlot> reserve(std::size_t bytes);
  ~StackSlot();
  StackSlot(StackSlot&& other) noexcept;
  StackSlot& operator=(StackSlot&&) = delete;

  [[nodiscard]] void* top() const { return base_ + all_bytes_ - kLandingBytes; }
  [[nodiscard]] void* landing() const { return base_ + all_bytes_; }
  // What holds frames, from the guard to the top.
  [[nodiscard]] std::span<const std::byte> frames() const {
    return {reinterpret_cast<const std::byte*>(guard_end()), usable_bytes()};
  }
  [[nodiscard]] std::size_t usable_bytes() const;
  [[nodiscard]] std::uintptr_t guard_begin() const {
    return reinterpret_cast<std::uintptr_t>(base_);
  }
  [[nodiscard]] std::uintptr_t guard_end() const;

 private:
  static constexpr std::size_t kLandingBytes = 4096;

  StackSlot(std::byte* base, std::size_t bytes) : base_(base), all_bytes_(bytes) {}

  std::byte* base_;
  std::size_t all_bytes_;  // with the guard
};

}  // namespace nur
