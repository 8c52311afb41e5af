// How long to wait before a worker that died is started again.
//
// The first time not at all; when it dies again and again, 100 ms, 200 ms, ... up to 5 s, so that a
// machine on which no worker can live is not kept busy with dying. A minute of life makes up for
// all.
#pragma once

#include <algorithm>
#include <optional>

#include "base/clock.h"

namespace nur {

class RestartDelay {
 public:
  static constexpr Milliseconds kFirst{100};
  static constexpr Milliseconds kMost{5'000};
  static constexpr std::chrono::seconds kHealthy{60};

  // The worker is started now.
  void on_start(TimePoint now) { started_ = now; }

  // It has died: how long until the next start.
  Milliseconds on_death(TimePoint now) {
    if (started_ && now - *started_ >= kHealthy) next_ = Milliseconds(0);
    const Milliseconds delay = next_;
    next_ = std::clamp(2 * delay, kFirst, kMost);
    return delay;
  }

 private:
  std::optional<TimePoint> started_;
  Milliseconds next_{0};
};

}  // namespace nur
