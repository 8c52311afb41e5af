// What a function's instances have learned, for those to come: which pages its requests write, and
// so which way of resetting is the cheapest.
#pragma once

#include <cstdint>
#include <optional>

#include "host/sandbox/page_set.h"
#include "host/sandbox/reset_policy.h"

namespace nur {

class ResetHistory {
 public:
  // Of instances with as many pages in area and memory together. `fixed`: no choice, for tests and
  // benches.
  ResetHistory(std::size_t area_pages, std::size_t memory_pages, bool can_scan,
               std::optional<ResetStrategy> fixed = std::nullopt);

  // How instances are to be reset from now on.
  [[nodiscard]] ResetStrategy strategy() const { return strategy_; }

  // Pages that a new instance will write anyway, counted as in WriteBarrier.
  [[nodiscard]] const PageSet& hot() const { return hot_; }

  // An instance that learns has let these pages through.
  void add_hot(const PageSet& writable);
  // What is hot may have been so long ago: starts over.
  void forget();

  // A request of an instance that is no longer new.
  void count(std::uint64_t faults, bool overflowed);

 private:
  void choose();

  std::size_t area_pages_;
  std::optional<ResetStrategy> fixed_;
  ResetStrategy strategy_ = ResetStrategy::learned;
  PageSet hot_;
  bool hot_changed_ = false;
  ResetFacts facts_;  // since the last choice
};

}  // namespace nur
