// What all instances of a worker may take together, and what they take now.
//
// Nothing here counts exactly: an instance is charged what it is known to hold, and the kernel has
// the last word. The budget is what makes that word rare: idle instances of functions that nobody
// asks for go before a request is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace nur {

struct SlotAmounts {
  std::uint64_t address_bytes = 0;
  std::uint64_t memory_bytes = 0;  // resident
  std::uint64_t mappings = 0;

  bool operator==(const SlotAmounts&) const = default;
};

// Who has instances that wait for requests.
class IdleHolder {
 public:
  virtual ~IdleHolder() = default;
  [[nodiscard]] virtual std::size_t idle() const = 0;
  // Gives one up, and its amounts back.
  virtual void drop_idle() = 0;
  // Called once a second, or as often as somebody does: gives up what was not needed since the last
  // time.
  virtual void shrink() = 0;
};

class SlotBudget {
 public:
  explicit SlotBudget(const SlotAmounts& limits) : limits_(limits) {}
  SlotBudget(const SlotBudget&) = delete;
  SlotBudget& operator=(const SlotBudget&) = delete;

  // Holders outlive their membership.
  void join(IdleHolder& holder);
  void leave(IdleHolder& holder);

  // Makes room by giving up idle instances, of whoever has the most; false when there is too little
  // even so, and nothing is taken then.
  bool take(const SlotAmounts& amounts);
  void give(const SlotAmounts& amounts);
  // What was charged as `before` has become `after`. False when that is more than there is: what it
  // was charged for has to go, and is charged until then.
  bool change(const SlotAmounts& before, const SlotAmounts& after);

  // Gives up one idle instance; false when there is none. For when the kernel has no more.
  bool drop_one();

  // All holders shrink.
  void shrink();

  // Called whenever an instance has become free, or its amounts have: somebody who was refused may
  // try again. Not from within take().
  void on_given(std::function<void()> action) { on_given_ = std::move(action); }
  void tell_given() const {
    if (on_given_) on_given_();
  }

  // Half of the mappings are taken: new instances had better make do with few.
  [[nodiscard]] bool is_short_of_mappings() const { return used_.mappings * 2 > limits_.mappings; }
  [[nodiscard]] const SlotAmounts& used() const { return used_; }
  [[nodiscard]] const SlotAmounts& limits() const { return limits_; }

 private:
  [[nodiscard]] bool has_room(const SlotAmounts& amounts) const;

  const SlotAmounts limits_;
  SlotAmounts used_;
  std::vector<IdleHolder*> holders_;
  std::function<void()> on_given_;
};

}  // namespace nur
