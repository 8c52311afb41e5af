// A set of pages of one span of memory, as bits: what a write barrier has let through.
//
// Its room is made once, so a signal handler can add to it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace nur {

inline constexpr std::size_t kPageBytes = 4096;

constexpr std::size_t pages_in(std::uint64_t bytes) {
  return static_cast<std::size_t>((bytes + kPageBytes - 1) / kPageBytes);
}

// Pages [begin, end).
struct PageRun {
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] std::size_t size() const { return end - begin; }
  bool operator==(const PageRun&) const = default;
};

// Leaves `runs_max` (1 or more) of these runs in ascending order, by filling the smallest gaps.
inline void merge_runs(std::vector<PageRun>& runs, std::size_t runs_max) {
  if (runs.size() <= runs_max) return;
  std::vector<std::size_t> gaps;
  for (std::size_t i = 1; i < runs.size(); ++i) gaps.push_back(runs[i].begin - runs[i - 1].end);
  std::ranges::sort(gaps);
  // Gaps up to this size go; of those that have it, as many as it takes.
  std::size_t excess = runs.size() - runs_max;
  const std::size_t size = gaps[excess - 1];
  std::vector<PageRun> merged{runs.front()};
  for (std::size_t i = 1; i < runs.size(); ++i) {
    if (excess > 0 && runs[i].begin - merged.back().end <= size) {
      merged.back().end = runs[i].end;
      --excess;
    } else {
      merged.push_back(runs[i]);
    }
  }
  runs = std::move(merged);
}

class PageSet {
 public:
  PageSet() = default;
  // Room for pages 0 to `pages` - 1; empty.
  explicit PageSet(std::size_t pages) : pages_(pages), words_((pages + 63) / 64) {}

  [[nodiscard]] std::size_t room() const { return pages_; }
  // How many there are, from page `from` on.
  [[nodiscard]] std::size_t size(std::size_t from = 0) const {
    std::size_t all = 0;
    for (std::size_t i = from / 64; i < words_.size(); ++i) {
      const std::uint64_t from_here = i == from / 64 ? words_[i] >> (from % 64) : words_[i];
      all += static_cast<std::size_t>(std::popcount(from_here));
    }
    return all;
  }
  [[nodiscard]] bool empty() const { return size() == 0; }

  [[nodiscard]] bool has(std::size_t page) const {
    return (words_[page / 64] >> (page % 64) & 1) != 0;
  }
  void add(std::size_t page) { words_[page / 64] |= std::uint64_t{1} << (page % 64); }
  void add(PageRun run) {
    for (std::size_t page = run.begin; page < run.end; ++page) add(page);
  }
  void remove(PageRun run) {
    for (std::size_t page = run.begin; page < run.end; ++page) {
      words_[page / 64] &= ~(std::uint64_t{1} << (page % 64));
    }
  }
  // Both sets have the same room.
  void add(const PageSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  }

  // The first page at `from` or behind it that is in the set (or is not), else room().
  [[nodiscard]] std::size_t find(std::size_t from, bool in_set) const {
    while (from < pages_) {
      const std::uint64_t word = (in_set ? words_[from / 64] : ~words_[from / 64]) >> (from % 64);
      if (word != 0) {
        from += static_cast<std::size_t>(std::countr_zero(word));
        return from < pages_ ? from : pages_;
      }
      from = (from / 64 + 1) * 64;
    }
    return pages_;
  }
  // The first run of pages in the set at `from` or behind it; of size 0 when there is none.
  [[nodiscard]] PageRun next_run(std::size_t from) const {
    const std::size_t begin = find(from, true);
    return {begin, find(begin, false)};
  }

 private:
  std::size_t pages_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace nur
