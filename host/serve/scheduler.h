// Which guest runs next, of those that are not done yet.
//
//   start --- answered within its first quantum: never seen here again
//     |
//     +-- asleep ------ its time has come --+-- has run for less than a quantum: goes on at once
//     |                                     |
//     +-- switched out ---------------------+-> waits for a turn --> one more quantum --+
//                                                    ^                                  |
//                                                    +--------- not done ---------------+
//
// A new request gets its first quantum at once: most need no more. What has had that waits, and one
// turn of the event loop gives the waiting one quantum in all, so the network is looked at every
// millisecond or so. First comes the guest with the earliest deadline, its time on the processor
// added: of two with the same time-out the one that has been kept waiting longer. An endless loop
// therefore cannot hold up for seconds what needs 50 ms, as it would if deadlines alone counted.
// Past its deadline a guest is ended where it is, whether its turn has come or not.
//
// One entry for each request under way, which are bounded by the instances that they hold.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

#include "host/net/event_loop.h"
#include "host/serve/guest_task.h"

namespace nur {

class Scheduler {
 public:
  // `on_ended` is called when a task that was kept is gone, and its instance free. Destroying the
  // scheduler drops its tasks without an answer.
  Scheduler(const TaskContext& context, std::function<void()> on_ended);
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Runs a task for its first quantum, and keeps it if it is not answered then.
  void start(std::unique_ptr<GuestTask> task);

  // How many are asleep or wait for a turn.
  [[nodiscard]] std::size_t kept() const { return kept_.size(); }

 private:
  struct Kept {
    Kept(std::unique_ptr<GuestTask> kept_task, TimerQueue& timers, std::function<void()> on_timer)
        : task(std::move(kept_task)), timer(timers, std::move(on_timer)) {}

    std::unique_ptr<GuestTask> task;
    Timer timer;  // when it wakes up, or its deadline
    std::optional<std::multimap<TimePoint, Kept*>::iterator> place;
  };

  void run(Kept& kept);
  void keep(Kept& kept, GuestTask::Progress progress);
  void wait_for_turn(Kept& kept);
  void on_timer(Kept& kept);
  void take_turn();

  const TaskContext& context_;
  const std::function<void()> on_ended_;
  std::unordered_map<GuestTask*, std::unique_ptr<Kept>> kept_;
  std::multimap<TimePoint, Kept*> waiting_;  // equal ones in the order in which they came
  Timer turn_;
};

}  // namespace nur
