// Which functions bring their workers down, and for how long they are not served for it.
//
// Every worker looks into the table before it lets a function run; the master alone writes to it.
// The table lies in shared memory, so a quarantine holds for all workers from one moment on.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>

#include "base/clock.h"
#include "host/serve/quarantine_table.h"

namespace nur {

class Quarantine {
 public:
  static constexpr std::size_t kDeaths = 3;
  static constexpr std::chrono::seconds kWithin{60};
  static constexpr std::chrono::minutes kLasts{10};

  explicit Quarantine(QuarantineTable& table) : table_(table) {}

  // A worker died while it worked for the function of this number. True when that was once too
  // often, and the quarantine begins.
  bool on_death(std::uint32_t number, TimePoint now);

 private:
  QuarantineTable& table_;
  std::map<std::uint32_t, std::deque<TimePoint>> deaths_;  // of the last minute
};

}  // namespace nur
