// Many deadlines, one wait: timers ordered by a binary heap.
//
// Nearly every deadline of a server is moved or cleared before it is due. So a timer that is moved
// to a later time stays where it is in the heap and is put in its right place only when its old
// time comes: `set` is then one store, and no system call is ever made per timer.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.h"

namespace nur {

class TimerQueue;

// Calls a function once, at or after a point in time. Belongs to one queue, which outlives it.
class Timer {
 public:
  Timer(TimerQueue& queue, std::function<void()> action);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Replaces the deadline there was.
  void set(TimePoint deadline);
  void clear() { deadline_.reset(); }
  [[nodiscard]] std::optional<TimePoint> deadline() const { return deadline_; }

 private:
  friend class TimerQueue;
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

  TimerQueue& queue_;
  std::function<void()> action_;
  std::optional<TimePoint> deadline_;
  TimePoint key_{};               // what the heap orders by; never after the deadline
  std::size_t place_ = kNowhere;  // in the heap
};

class TimerQueue {
 public:
  // Runs the action of every timer due at `now`. An action may set, clear or destroy any timer; one
  // that it sets to `now` or earlier waits for the next call.
  void run_due(TimePoint now);

  // No timer is due before this; empty when none is set. May be earlier than the first deadline.
  [[nodiscard]] std::optional<TimePoint> next() const;

 private:
  friend class Timer;
  void insert(Timer& timer);
  void remove(Timer& timer);
  void rise(std::size_t place);
  void sink(std::size_t place);
  void put(std::size_t place, Timer* timer);

  std::vector<Timer*> heap_;  // one entry per timer at most; bounded by who owns the timers
  std::vector<Timer*> due_;   // being run now; a destroyed timer's place is nullptr
};

}  // namespace nur
