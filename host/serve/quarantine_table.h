// Until when each function is not served, by its number: in memory that all workers share.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace nur {

// Functions of one process. The table has a place for each, of which only those in use take memory.
inline constexpr std::size_t kFunctionsMax = 65'536;

class QuarantineTable {
 public:
  [[nodiscard]] bool holds(std::uint32_t number, TimePoint now) const {
    const std::int64_t until = until_[number].load(std::memory_order_relaxed);
    return until != 0 && now.time_since_epoch() < Nanoseconds(until);
  }
  // What is left of it, rounded up; for functions that it holds.
  [[nodiscard]] std::chrono::seconds left(std::uint32_t number, TimePoint now) const {
    const Nanoseconds until(until_[number].load(std::memory_order_relaxed));
    return std::chrono::ceil<std::chrono::seconds>(until - now.time_since_epoch());
  }
  [[nodiscard]] TimePoint held_until(std::uint32_t number) const {
    return TimePoint(Nanoseconds(until_[number].load(std::memory_order_relaxed)));
  }
  void hold(std::uint32_t number, TimePoint until) {
    until_[number].store(std::chrono::nanoseconds(until.time_since_epoch()).count(),
                         std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::int64_t>, kFunctionsMax> until_{};  // 0: never was
};

}  // namespace nur
