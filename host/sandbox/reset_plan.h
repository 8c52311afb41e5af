// What has to be copied where to make a slot as it was: pages merged into runs, each with the place
// that its pristine content comes from.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "host/sandbox/write_barrier.h"
#include "nur/abi.h"

namespace nur {

class ResetPlan {
 public:
  // `image` is in ascending order, of whole pages, none overlapping; it outlives the plan.
  explicit ResetPlan(std::span<const nur_image_run> image) : image_(image) {}

  // Starts over with all pages of the area that `barrier` has let through, but the first.
  void plan_area(const WriteBarrier& barrier);
  // Adds pages of linear memory that begin at `memory`, counted from its beginning.
  void add_memory(std::byte* memory, PageRun pages);

  // Copies. No system call.
  void run() const;

  [[nodiscard]] std::size_t run_count() const { return runs_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Run {
    std::byte* to;
    const std::byte* from;  // null: zeros
    std::size_t bytes;
  };

  void add(const Run& run);

  std::span<const nur_image_run> image_;
  std::vector<Run> runs_;
  std::size_t bytes_ = 0;
};

}  // namespace nur
