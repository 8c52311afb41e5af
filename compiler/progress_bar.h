// One line on a terminal that says how far the builds are.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "compiler/build_services.h"

namespace nur {

// Writes to standard error when that is a terminal and the work takes longer than a moment;
// otherwise it is silent. The line is taken away at the end.
//
//   nurc: 34 of 83 units, 71 s, 302 MiB at most
class ProgressBar final : public BuildObserver {
 public:
  ProgressBar();
  ~ProgressBar() override;
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void units_found(std::size_t count) override;
  void unit_done(bool from_cache) override;

  // Takes the line away, so that something else can be written; it comes back at the next step.
  void make_room();

  [[nodiscard]] std::size_t units() const;
  [[nodiscard]] std::size_t units_from_cache() const;

 private:
  void draw();  // needs mutex_
  void erase();

  const bool shown_;
  const SystemClock clock_;
  const TimePoint begun_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t found_ = 0;
  std::size_t done_ = 0;
  std::size_t from_cache_ = 0;
  bool drawn_ = false;
  bool ended_ = false;
  std::thread ticker_;  // seconds pass while nothing else happens
};

}  // namespace nur
