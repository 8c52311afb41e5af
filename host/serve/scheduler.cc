#include "host/serve/scheduler.h"

#include <utility>

namespace nur {

Scheduler::Scheduler(const TaskContext& context, std::function<void()> on_ended)
    : context_(context),
      on_ended_(std::move(on_ended)),
      turn_(context.loop.timers(), [this] { take_turn(); }) {}

void Scheduler::start(std::unique_ptr<GuestTask> task) {
  const GuestTask::Progress progress = task->advance();
  if (progress == GuestTask::Progress::answered) return;
  GuestTask* const key = task.get();
  auto kept = std::make_unique<Kept>(std::move(task), context_.loop.timers(),
                                     [this, key] { on_timer(*kept_.at(key)); });
  keep(*kept_.emplace(key, std::move(kept)).first->second, progress);
}

void Scheduler::keep(Kept& kept, GuestTask::Progress progress) {
  if (progress == GuestTask::Progress::asleep) {
    kept.timer.set(kept.task->run().wake());
  } else {
    wait_for_turn(kept);
  }
}

void Scheduler::wait_for_turn(Kept& kept) {
  const GuestRun& run = kept.task->run();
  kept.place = waiting_.emplace(run.limits().deadline + run.used(), &kept);
  kept.timer.set(run.limits().deadline);
  if (!turn_.deadline()) turn_.set(context_.loop.now());
}

void Scheduler::on_timer(Kept& kept) {
  const bool overdue = kept.place.has_value();
  if (overdue || kept.task->run().used() < context_.quantum) return run(kept);
  wait_for_turn(kept);
}

void Scheduler::run(Kept& kept) {
  if (kept.place) waiting_.erase(*std::exchange(kept.place, std::nullopt));
  kept.timer.clear();
  const GuestTask::Progress progress = kept.task->advance();
  if (progress != GuestTask::Progress::answered) return keep(kept, progress);
  GuestTask* const key = kept.task.get();
  kept_.erase(key);
  on_ended_();
}

void Scheduler::take_turn() {
  const TimePoint end = context_.clock.now() + context_.quantum;
  while (!waiting_.empty()) {
    run(*waiting_.begin()->second);
    if (context_.clock.now() >= end) break;
  }
  if (!waiting_.empty()) turn_.set(context_.loop.now());
}

}  // namespace nur
