#include "host/serve/scheduler.h"

#include <algorithm>
#include <utility>

namespace nur {
namespace {

// A turn that had less to do than this had no request.
constexpr Nanoseconds kIdleTurn = std::chrono::microseconds(10);
// A guest that gets less has spent most of it on the way in and out.
constexpr Nanoseconds kShortestSlice = std::chrono::microseconds(50);
// Those who were woken have so long in a turn, even where there is no quantum.
constexpr Nanoseconds kWokenTurn = Milliseconds(1);

}  // namespace

Scheduler::Scheduler(const TaskContext& context, std::function<void()> on_ended)
    : context_(context),
      on_ended_(std::move(on_ended)),
      due_(context.loop.timers(), [this] { run_timers(); }),
      turn_(context.loop.timers(), [this] { take_turn(); }),
      woken_turn_(context.loop.timers(), [this] { run_woken(); }) {}

bool Scheduler::is_slow(const Function& function) const {
  return !slow_.empty() && slow_.contains(&function);
}

void Scheduler::start(std::unique_ptr<GuestTask> task, TimePoint now) {
  const bool slow = is_slow(task->function());
  if (!slow && arrivals_.empty() && !is_turn_spent()) {
    return run_first(std::move(task), context_.quantum, now);
  }
  (slow ? slow_arrivals_ : arrivals_).push_back(std::move(task));
  take_turn_soon();
}

void Scheduler::run_first(std::unique_ptr<GuestTask> task, Nanoseconds slice, TimePoint now) {
  const Function& function = task->function();
  const GuestTask::Progress progress = task->advance(now, slice);
  if (progress == GuestTask::Progress::switched_out) {
    slow_.insert(&function);
  } else if (!slow_.empty() && !task->was_stopped()) {
    slow_.erase(&function);
  }
  if (progress == GuestTask::Progress::answered) return;
  if (progress == GuestTask::Progress::switched_out && slice == context_.quantum) {
    spent_in_ = context_.loop.now();
  }
  GuestTask* const key = task.get();
  auto kept =
      std::make_unique<Kept>(std::move(task), timers_, [this, key] { on_timer(*kept_.at(key)); });
  keep(*kept_.emplace(key, std::move(kept)).first->second, progress);
}

void Scheduler::keep(Kept& kept, GuestTask::Progress progress) {
  const TimePoint wake = kept.task->run().wake();
  switch (progress) {
    case GuestTask::Progress::waits:
      if (wake != TimePoint::max()) set_timer(kept, wake);
      return kept.task->park(*this);
    case GuestTask::Progress::asleep:
      return set_timer(kept, wake);
    case GuestTask::Progress::switched_out:
    case GuestTask::Progress::answered:
      return wait_for_turn(kept);
  }
}

void Scheduler::wait_for_turn(Kept& kept) {
  const GuestRun& run = kept.task->run();
  kept.place = waiting_.emplace(run.limits().deadline + run.used(), &kept);
  set_timer(kept, run.limits().deadline);
  take_turn_soon();
}

void Scheduler::set_timer(Kept& kept, TimePoint at) {
  kept.timer.set(at);
  due_.set(*timers_.next());
}

void Scheduler::run_timers() {
  timers_.run_due(context_.clock.now());
  if (const std::optional<TimePoint> next = timers_.next()) due_.set(*next);
}

void Scheduler::take_turn_soon() {
  if (!turn_.deadline()) turn_.set(context_.loop.now());
}

void Scheduler::on_timer(Kept& kept) {
  if (kept.place) return run(kept, context_.quantum);  // overdue
  if (!kept.is_woken) go_on(kept);
}

void Scheduler::go_on(Kept& kept) {
  if (kept.task->run().used() < context_.quantum) return run(kept, context_.quantum);
  wait_for_turn(kept);
}

void Scheduler::run_soon(GuestTask& task) {
  Kept& kept = *kept_.at(&task);
  kept.is_woken = true;
  woken_.push_back(&kept);
  woken_turn_.set(context_.loop.now());
}

// The network is looked at behind a quantum, however many were woken.
void Scheduler::run_woken() {
  const TimePoint end = context_.clock.now() + std::min(context_.quantum, kWokenTurn);
  std::vector<Kept*> woken;
  woken.swap(woken_);
  std::size_t next = 0;
  while (next < woken.size()) {
    Kept& kept = *woken[next++];
    kept.is_woken = false;
    go_on(kept);
    if (next < woken.size() && context_.clock.now() >= end) break;
  }
  woken_.insert(woken_.begin(), woken.begin() + static_cast<std::ptrdiff_t>(next), woken.end());
  if (!woken_.empty()) return woken_turn_.set(context_.loop.now());
  // Its room is used again.
  woken.clear();
  woken_.swap(woken);
}

void Scheduler::run(Kept& kept, Nanoseconds slice) {
  if (kept.place) waiting_.erase(*std::exchange(kept.place, std::nullopt));
  kept.timer.clear();
  const GuestTask::Progress progress = kept.task->advance(context_.clock.now(), slice);
  if (progress != GuestTask::Progress::answered) return keep(kept, progress);
  GuestTask* const key = kept.task.get();
  kept_.erase(key);
  on_ended_();
}

void Scheduler::run_arrivals() {
  const TimePoint begin = context_.clock.now();
  while (!arrivals_.empty() && !is_turn_spent()) {
    std::unique_ptr<GuestTask> task = std::move(arrivals_.front());
    arrivals_.pop_front();
    run_first(std::move(task), context_.quantum, context_.clock.now());
    on_ended_();
    if (context_.clock.now() - begin >= context_.quantum) spent_in_ = context_.loop.now();
  }
}

Nanoseconds Scheduler::slow_slice() const {
  const TimePoint now = context_.clock.now();
  const Nanoseconds other_work = now - context_.loop.now();
  const Nanoseconds slice =
      other_work < kIdleTurn
          ? context_.quantum
          : std::clamp(Nanoseconds(other_work / 2), context_.quantum / 4, context_.quantum);
  const std::optional<TimePoint> next = timers_.next();
  return next ? std::min(slice, std::max(Nanoseconds(*next - now), kShortestSlice)) : slice;
}

void Scheduler::run_slow() {
  const Nanoseconds slice = slow_slice();
  arrived_last_ = !slow_arrivals_.empty() && (waiting_.empty() || !arrived_last_);
  if (!arrived_last_) return run_waiting(slice);
  // Those that are out of time already cost none, and leave it to the next.
  bool is_overdue = true;
  while (!slow_arrivals_.empty() && is_overdue) {
    std::unique_ptr<GuestTask> task = std::move(slow_arrivals_.front());
    slow_arrivals_.pop_front();
    const TimePoint now = context_.clock.now();
    is_overdue = task->run().limits().deadline <= now;
    run_first(std::move(task), slice, now);
    on_ended_();
  }
}

void Scheduler::run_waiting(Nanoseconds slice) {
  TimePoint now = context_.clock.now();
  const TimePoint end = now + slice;
  while (!waiting_.empty() && now < end) {
    run(*waiting_.begin()->second, slice);
    now = context_.clock.now();
  }
}

void Scheduler::make_way(const Function* function, std::size_t cut_off_max) {
  const TimePoint now = context_.clock.now();
  for (const auto& [task, kept] : kept_) {
    if (cut_off_max == 0) return;
    if (function != nullptr && &task->function() != function) continue;
    if (task->make_way(now)) --cut_off_max;
  }
}

void Scheduler::take_turn() {
  run_arrivals();
  // Arrivals and the slow take turns when there is more of both than there is time.
  was_skipped_ = is_turn_spent() && !was_skipped_;
  if (!was_skipped_) {
    run_slow();
    run_timers();
  }
  if (kept() > kept_.size() || !waiting_.empty()) take_turn_soon();
}

}  // namespace nur
