// The native stack of one guest: a part of its slot (memory_slot.h), with a guard below it.
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

namespace nur {

class StackSlot {
 public:
  static constexpr std::size_t kGuardBytes = 64 << 10;

  // `bytes` behind the guard that begins at `guard`; a multiple of 4,096.
  StackSlot(std::byte* guard, std::size_t bytes) : base_(guard), all_bytes_(kGuardBytes + bytes) {}

  [[nodiscard]] void* top() const { return base_ + all_bytes_ - kLandingBytes; }
  [[nodiscard]] void* landing() const { return base_ + all_bytes_; }
  // What holds frames, from the guard to the top.
  [[nodiscard]] std::span<const std::byte> frames() const {
    return {reinterpret_cast<const std::byte*>(guard_end()), usable_bytes()};
  }
  [[nodiscard]] std::size_t usable_bytes() const {
    return all_bytes_ - kGuardBytes - kLandingBytes;
  }
  [[nodiscard]] std::uintptr_t guard_begin() const {
    return reinterpret_cast<std::uintptr_t>(base_);
  }
  [[nodiscard]] std::uintptr_t guard_end() const { return guard_begin() + kGuardBytes; }

 private:
  static constexpr std::size_t kLandingBytes = 4096;

  std::byte* base_;
  std::size_t all_bytes_;  // with the guard
};

}  // namespace nur
