#include "host/serve/waiting_room.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace nur {

bool WaitingRoom::enter(const Arrival& arrival) {
  const Function& function = *arrival.function;
  const std::size_t waiting_max = function.limits().waiting_max;
  if (waiting_max == 0) return false;
  if (const auto found = queues_.find(&function); found != queues_.end()) {
    if (found->second->arrivals.size() >= waiting_max) drop_gone(function);
  }
  std::unique_ptr<Queue>& queue = queues_[&function];
  if (!queue) {
    queue = std::make_unique<Queue>(timers_, [this, &function] { drop_overdue(function); });
    queue->overdue.set(arrival.deadline);
  } else if (queue->arrivals.size() >= waiting_max) {
    return false;
  }
  queue->arrivals.push_back(arrival);
  return true;
}

std::size_t WaitingRoom::count(const Function& function) const {
  const auto found = queues_.find(&function);
  return found == queues_.end() ? 0 : found->second->arrivals.size();
}

bool WaitingRoom::has(const Function& function) const { return queues_.contains(&function); }

std::vector<Function*> WaitingRoom::functions() const {
  std::vector<const Arrival*> firsts;
  for (const auto& [function, queue] : queues_) firsts.push_back(&queue->arrivals.front());
  std::ranges::sort(firsts, {}, &Arrival::deadline);
  std::vector<Function*> functions;
  for (const Arrival* const arrival : firsts) functions.push_back(arrival->function);
  return functions;
}

const Arrival* WaitingRoom::first(const Function& function) const {
  const auto found = queues_.find(&function);
  return found == queues_.end() ? nullptr : &found->second->arrivals.front();
}

Arrival WaitingRoom::take_first(const Function& function) {
  const auto found = queues_.find(&function);
  NUR_CHECK(found != queues_.end());
  Queue& queue = *found->second;
  Arrival arrival = std::move(queue.arrivals.front());
  queue.arrivals.pop_front();
  if (queue.arrivals.empty()) {
    queues_.erase(found);
  } else {
    queue.overdue.set(queue.arrivals.front().deadline);
  }
  return arrival;
}

void WaitingRoom::drop_overdue(const Function& function) {
  // The timer came for the first; who has the same deadline goes with it.
  const TimePoint due = first(function)->deadline;
  while (const Arrival* const arrival = first(function)) {
    if (arrival->deadline > due) break;
    on_leave_(take_first(function));
  }
}

void WaitingRoom::drop_gone(const Function& function) {
  std::vector<Arrival> gone;
  std::erase_if(queues_.at(&function)->arrivals, [&](const Arrival& arrival) {
    if (arrival.exchange->client_gone()) gone.push_back(arrival);
    return arrival.exchange->client_gone();
  });
  if (queues_.at(&function)->arrivals.empty()) {
    queues_.erase(&function);
  } else {
    queues_.at(&function)->overdue.set(queues_.at(&function)->arrivals.front().deadline);
  }
  for (const Arrival& arrival : gone) on_leave_(arrival);
}

}  // namespace nur
