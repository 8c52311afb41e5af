// Requests that wait for an instance of their function, each until its deadline.
//
// One queue for each function, first come, first served; all requests of a function have the same
// time-out, so the first is also the first to be overdue.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "host/net/exchange.h"
#include "host/net/timer.h"
#include "host/serve/function.h"
#include "host/serve/router.h"

namespace nur {

// A request that may have an instance of its function.
struct Arrival {
  Exchange* exchange = nullptr;
  Function* function = nullptr;
  Route route;
  TimePoint deadline{};
  TimePoint* started = nullptr;  // where to leave when the guest begins, if anybody asks
};

class WaitingRoom {
 public:
  // `on_leave` has to answer who was waiting and leaves without an instance: overdue, or its client
  // is gone. Destroying the room answers nobody.
  WaitingRoom(TimerQueue& timers, std::function<void(const Arrival&)> on_leave)
      : timers_(timers), on_leave_(std::move(on_leave)) {}

  // False when `limits().waiting_max` of its function wait already, and all of their clients are
  // still there.
  bool enter(const Arrival& arrival);

  [[nodiscard]] bool empty() const { return queues_.empty(); }
  [[nodiscard]] bool has(const Function& function) const;
  [[nodiscard]] std::size_t count(const Function& function) const;
  // Those for whom somebody waits, the one with the earliest deadline first.
  [[nodiscard]] std::vector<Function*> functions() const;
  // The first who waits for `function`, if anybody does.
  [[nodiscard]] const Arrival* first(const Function& function) const;
  // The first who waits for `function` waits no longer.
  Arrival take_first(const Function& function);

 private:
  struct Queue {
    explicit Queue(TimerQueue& timers, std::function<void()> on_overdue)
        : overdue(timers, std::move(on_overdue)) {}
    std::deque<Arrival> arrivals;  // at least one
    Timer overdue;                 // of the first
  };

  void drop_overdue(const Function& function);
  void drop_gone(const Function& function);

  TimerQueue& timers_;
  const std::function<void(const Arrival&)> on_leave_;
  std::unordered_map<const Function*, std::unique_ptr<Queue>> queues_;
};

}  // namespace nur
