// Which guest runs next, of those that are not done yet.
//
//   start --- answered within its first quantum: never seen here again
//     |
//     +-- asleep ------ its time has come --+-- has run for less than a quantum: goes on at once
//     +-- waits ------- it was woken -------+
//     |                                     |
//     +-- switched out ---------------------+-> waits for a turn --> one more quantum --+
//                                                    ^                                  |
//                                                    +--------- not done ---------------+
//
// A new request gets its first quantum at once: most need no more. When one has used all of it, the
// other arrivals of that turn of the event loop have theirs in the next; and the next requests of
// that function are slow ones, until one of them ends within its first slice. Slow arrivals, and
// what has had its first quantum, wait: a turn gives them one quantum in all, or less, when the
// turn had other work: half the time of that, at least a quarter of a quantum. So the network is
// looked at every millisecond or two, and short requests are not held up for much longer than they
// hold up each other, however many slow ones come.
//
// Of the waiting first comes the guest with the earliest deadline, its time on the processor added:
// of two with the same time-out the one that has been kept waiting longer. An endless loop
// therefore cannot hold up for seconds what needs 50 ms, as it would if deadlines alone counted.
// Past its deadline a guest is ended where it is, whether its turn has come or not; a slow one's
// slice ends when that is to be done, and before the network is looked at again it is.
//
// One entry for each request under way, which are bounded by the instances that they hold.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "host/net/event_loop.h"
#include "host/serve/guest_task.h"

namespace nur {

class Scheduler final : private TaskRunner {
 public:
  // `on_ended` is called when a task that was kept is gone, and its instance free. Destroying the
  // scheduler drops its tasks without an answer.
  Scheduler(const TaskContext& context, std::function<void()> on_ended);
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Runs a task for its first quantum, now or in the next turn, and keeps it if it is not answered
  // then. `now` as in GuestTask::advance.
  void start(std::unique_ptr<GuestTask> task, TimePoint now);

  // Somebody waits for an instance of `function`, or with nullptr of any: has guests make way that
  // are held up by their clients (GuestTask::make_way), until so many have been cut off.
  void make_way(const Function* function, std::size_t cut_off_max);

  // How many are asleep, wait, or wait for a turn.
  [[nodiscard]] std::size_t kept() const {
    return arrivals_.size() + slow_arrivals_.size() + kept_.size();
  }

 private:
  struct Kept {
    Kept(std::unique_ptr<GuestTask> kept_task, TimerQueue& timers, std::function<void()> on_timer)
        : task(std::move(kept_task)), timer(timers, std::move(on_timer)) {}

    std::unique_ptr<GuestTask> task;
    Timer timer;  // when it wakes up, or its deadline
    std::optional<std::multimap<TimePoint, Kept*>::iterator> place;
    bool is_woken = false;  // in woken_
  };

  [[nodiscard]] bool is_turn_spent() const { return spent_in_ == context_.loop.now(); }
  [[nodiscard]] bool is_slow(const Function& function) const;
  void run_first(std::unique_ptr<GuestTask> task, Nanoseconds slice, TimePoint now);
  void run_arrivals();
  [[nodiscard]] Nanoseconds slow_slice() const;
  void run_slow();
  void run_waiting(Nanoseconds slice);
  void run(Kept& kept, Nanoseconds slice);
  void keep(Kept& kept, GuestTask::Progress progress);
  void wait_for_turn(Kept& kept);
  void set_timer(Kept& kept, TimePoint at);
  void run_timers();
  void on_timer(Kept& kept);
  void go_on(Kept& kept);
  void run_soon(GuestTask& task) override;
  void run_woken();
  void take_turn_soon();
  void take_turn();

  const TaskContext& context_;
  const std::function<void()> on_ended_;
  std::deque<std::unique_ptr<GuestTask>> arrivals_;  // their first quantum is to come
  std::deque<std::unique_ptr<GuestTask>> slow_arrivals_;
  std::unordered_set<const Function*> slow_;  // whose last arrival used up its first slice
  TimerQueue timers_;                         // of those that are kept
  std::unordered_map<GuestTask*, std::unique_ptr<Kept>> kept_;
  std::multimap<TimePoint, Kept*> waiting_;  // equal ones in the order in which they came
  std::vector<Kept*> woken_;                 // they waited, and were woken
  TimePoint spent_in_{};       // the turn of the loop in which an arrival last used a whole quantum
  bool was_skipped_ = false;   // the slow had nothing of that turn
  bool arrived_last_ = false;  // of the slow an arrival had the last slice, not one that waits
  Timer due_;                  // the first of timers_
  Timer turn_;
  Timer woken_turn_;
};

}  // namespace nur
