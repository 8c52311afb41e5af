#include "host/net/timer.h"

#include <algorithm>
#include <utility>

namespace nur {

Timer::Timer(TimerQueue& queue, std::function<void()> action)
    : queue_(queue), action_(std::move(action)) {}

Timer::~Timer() {
  if (place_ != kNowhere) queue_.remove(*this);
  std::replace(queue_.due_.begin(), queue_.due_.end(), this, static_cast<Timer*>(nullptr));
}

void Timer::set(TimePoint deadline) {
  deadline_ = deadline;
  if (place_ == kNowhere) {
    key_ = deadline;
    queue_.insert(*this);
  } else if (deadline < key_) {
    key_ = deadline;
    queue_.rise(place_);
  }
}

void TimerQueue::run_due(TimePoint now) {
  while (!heap_.empty() && heap_.front()->key_ <= now) {
    Timer& first = *heap_.front();
    if (first.deadline_ && *first.deadline_ > now) {
      first.key_ = *first.deadline_;
      sink(0);
      continue;
    }
    remove(first);
    if (first.deadline_) due_.push_back(&first);
  }
  // From here on actions may change the heap.
  for (std::size_t i = 0; i < due_.size(); ++i) {
    Timer* timer = due_[i];
    // An earlier action may have destroyed, cleared or moved it.
    if (timer == nullptr || !timer->deadline_ || *timer->deadline_ > now) continue;
    timer->deadline_.reset();
    timer->action_();
  }
  due_.clear();
}

std::optional<TimePoint> TimerQueue::next() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front()->key_;
}

void TimerQueue::put(std::size_t place, Timer* timer) {
  heap_[place] = timer;
  timer->place_ = place;
}

void TimerQueue::insert(Timer& timer) {
  heap_.push_back(&timer);
  timer.place_ = heap_.size() - 1;
  rise(timer.place_);
}

void TimerQueue::remove(Timer& timer) {
  const std::size_t place = std::exchange(timer.place_, Timer::kNowhere);
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  put(place, last);
  rise(place);
  sink(last->place_);
}

void TimerQueue::rise(std::size_t place) {
  Timer* timer = heap_[place];
  while (place > 0) {
    const std::size_t parent = (place - 1) / 2;
    if (heap_[parent]->key_ <= timer->key_) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, timer);
}

void TimerQueue::sink(std::size_t place) {
  Timer* timer = heap_[place];
  while (true) {
    std::size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->key_ < heap_[child]->key_) ++child;
    if (timer->key_ <= heap_[child]->key_) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, timer);
}

}  // namespace nur
