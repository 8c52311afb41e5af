// How many children run at once, over all modules that are being compiled.
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

namespace nur {

class JobSlots {
 public:
  explicit JobSlots(unsigned count) : count_(count), free_(count) {}

  // The right to run one child; given back at the end of its life.
  class Slot {
   public:
    explicit Slot(JobSlots* from) : from_(from) {}
    Slot(Slot&& other) noexcept : from_(std::exchange(other.from_, nullptr)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (from_ != nullptr) from_->give_back();
    }

   private:
    JobSlots* from_;
  };

  // Waits until a slot is free. Any thread may call it.
  [[nodiscard]] Slot take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return free_ > 0; });
    --free_;
    return Slot(this);
  }

  [[nodiscard]] unsigned count() const { return count_; }

 private:
  void give_back() {
    {
      const std::scoped_lock lock(mutex_);
      ++free_;
    }
    changed_.notify_one();
  }

  const unsigned count_;
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned free_;
};

}  // namespace nur
