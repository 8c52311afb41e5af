// Going on with a guest that waits, from outside: when a socket is ready, when bytes came.
//
//   host function --- HostReply::wait --> the guest is parked
//   event --- Waker::wake() ------------> its task is run, and the host function asked again
//
// A waker may be copied, kept for as long as one likes and used at any time, even when the guest is
// gone: it then wakes nobody. A wake that comes before the guest is parked is remembered. Being
// woken for nothing costs one more question. One thread: whoever wakes runs in the loop of the
// guest, and the guest goes on later, never inside wake().
#pragma once

#include <memory>

namespace nur {

class Wakeable;

class Waker {
 public:
  Waker() = default;  // wakes nobody
  void wake() const;

 private:
  friend class Wakeable;
  explicit Waker(std::shared_ptr<Wakeable*> target) : target_(std::move(target)) {}
  std::shared_ptr<Wakeable*> target_;
};

// Who can be woken. Costs one pointer until a waker is asked for.
class Wakeable {
 public:
  Wakeable() = default;
  virtual ~Wakeable() {
    if (target_) *target_ = nullptr;
  }
  Wakeable(const Wakeable&) = delete;
  Wakeable& operator=(const Wakeable&) = delete;

  virtual void wake() = 0;

  [[nodiscard]] Waker waker() {
    if (!target_) target_ = std::make_shared<Wakeable*>(this);
    return Waker(target_);
  }

 private:
  std::shared_ptr<Wakeable*> target_;
};

inline void Waker::wake() const {
  if (target_ && *target_ != nullptr) (*target_)->wake();
}

}  // namespace nur
