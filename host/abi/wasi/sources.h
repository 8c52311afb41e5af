// Where a guest's time and randomness come from, behind interfaces so that tests choose them.
#pragma once

#include <cstddef>
#include <span>

#include "base/clock.h"

namespace nur {

// The two clocks that guests may read.
class WasiClocks {
 public:
  virtual ~WasiClocks() = default;
  [[nodiscard]] virtual TimePoint monotonic() const = 0;
  // Since 1970-01-01T00:00:00Z; not negative.
  [[nodiscard]] virtual Nanoseconds realtime() const = 0;
};

class SystemWasiClocks final : public WasiClocks {
 public:
  [[nodiscard]] TimePoint monotonic() const override;
  [[nodiscard]] Nanoseconds realtime() const override;
};

class RandomSource {
 public:
  virtual ~RandomSource() = default;
  // False when there is none to be had.
  [[nodiscard]] virtual bool fill(std::span<std::byte> bytes) const = 0;
};

// getrandom(2).
class SystemRandom final : public RandomSource {
 public:
  [[nodiscard]] bool fill(std::span<std::byte> bytes) const override;
};

}  // namespace nur
