#include "host/sandbox/slot_budget.h"

#include <algorithm>

#include "base/check.h"

namespace nur {

void SlotBudget::join(IdleHolder& holder) { holders_.push_back(&holder); }

void SlotBudget::leave(IdleHolder& holder) { std::erase(holders_, &holder); }

bool SlotBudget::has_room(const SlotAmounts& amounts) const {
  const auto fits = [](std::uint64_t used, std::uint64_t more, std::uint64_t limit) {
    return more <= limit && used <= limit - more;
  };
  return fits(used_.address_bytes, amounts.address_bytes, limits_.address_bytes) &&
         fits(used_.memory_bytes, amounts.memory_bytes, limits_.memory_bytes) &&
         fits(used_.mappings, amounts.mappings, limits_.mappings);
}

bool SlotBudget::take(const SlotAmounts& amounts) {
  while (!has_room(amounts)) {
    if (!drop_one()) return false;
  }
  used_.address_bytes += amounts.address_bytes;
  used_.memory_bytes += amounts.memory_bytes;
  used_.mappings += amounts.mappings;
  return true;
}

void SlotBudget::give(const SlotAmounts& amounts) {
  NUR_CHECK(amounts.address_bytes <= used_.address_bytes &&
            amounts.memory_bytes <= used_.memory_bytes && amounts.mappings <= used_.mappings);
  used_.address_bytes -= amounts.address_bytes;
  used_.memory_bytes -= amounts.memory_bytes;
  used_.mappings -= amounts.mappings;
}

bool SlotBudget::change(const SlotAmounts& before, const SlotAmounts& after) {
  give(before);
  if (take(after)) return true;
  used_.address_bytes += before.address_bytes;
  used_.memory_bytes += before.memory_bytes;
  used_.mappings += before.mappings;
  return false;
}

bool SlotBudget::drop_one() {
  const auto most = std::ranges::max_element(
      holders_, {}, [](const IdleHolder* holder) { return holder->idle(); });
  if (most == holders_.end() || (*most)->idle() == 0) return false;
  (*most)->drop_idle();
  return true;
}

void SlotBudget::shrink() {
  for (IdleHolder* const holder : holders_) holder->shrink();
}

}  // namespace nur
