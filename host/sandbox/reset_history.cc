#include "host/sandbox/reset_history.h"

namespace nur {
namespace {

// So many requests are looked at for a choice.
constexpr std::uint64_t kWindow = 64;

// Without a barrier nothing is learned; after so many requests it is tried again.
constexpr std::uint64_t kRetry = 4096;

}  // namespace

ResetHistory::ResetHistory(std::size_t area_pages, std::size_t memory_pages, bool can_scan,
                           std::optional<ResetStrategy> fixed)
    : area_pages_(area_pages),
      fixed_(fixed),
      strategy_(fixed.value_or(ResetStrategy::learned)),
      hot_(area_pages + memory_pages) {
  facts_.memory_pages = memory_pages;
  facts_.can_scan = can_scan;
}

void ResetHistory::add_hot(const PageSet& writable) {
  hot_.add(writable);
  hot_changed_ = true;
  // More than any instance may keep: requests differ, so no new one is to begin with all of them.
  if (hot_.size(area_pages_) > kResidentPagesMax) forget();
}

void ResetHistory::forget() {
  hot_ = PageSet(hot_.room());
  hot_changed_ = true;
}

void ResetHistory::count(std::uint64_t faults, bool overflowed) {
  ++facts_.requests;
  facts_.faults += faults;
  facts_.overflows += overflowed ? 1 : 0;
  const std::uint64_t enough = strategy_ == ResetStrategy::learned ? kWindow : kRetry;
  if (facts_.requests >= enough) choose();
}

void ResetHistory::choose() {
  if (!fixed_) {
    if (strategy_ == ResetStrategy::learned) {
      if (hot_changed_) facts_.hot_pages = hot_.size(area_pages_);
      hot_changed_ = false;
      strategy_ = choose_reset(facts_);
    } else {
      strategy_ = ResetStrategy::learned;
      forget();
    }
  }
  facts_.requests = facts_.faults = facts_.overflows = 0;
}

}  // namespace nur
