#include "host/sandbox/reset_plan.h"

#include <algorithm>
#include <cstring>

#include "host/sandbox/restore.h"

namespace nur {
namespace {

// What is written to besides (stack, globals) has to fit there too.
constexpr std::size_t kFirstCacheBytes = 24 << 10;

}  // namespace

void ResetPlan::plan_area(const WriteBarrier& barrier) {
  runs_.clear();
  bytes_ = 0;
  for (PageRun run = barrier.writable().next_run(1); run.begin < barrier.area_pages();
       run = barrier.writable().next_run(run.end)) {
    const std::size_t end = std::min(run.end, barrier.area_pages());
    add({barrier.address_of(run.begin), barrier.save_of(run.begin),
         (end - run.begin) * kPageBytes});
  }
}

void ResetPlan::add_memory(std::byte* memory, PageRun pages) {
  std::uint64_t at = pages.begin * kPageBytes;
  const std::uint64_t end = pages.end * kPageBytes;
  const auto behind = std::ranges::upper_bound(
      image_, at, {}, [](const nur_image_run& run) { return run.memory_offset + run.bytes; });
  for (auto run = behind; at < end; ++run) {
    const std::uint64_t image_begin =
        run == image_.end() ? end : std::clamp(run->memory_offset, at, end);
    if (image_begin > at) add({memory + at, nullptr, image_begin - at});
    if (image_begin == end) return;
    const std::uint64_t image_end = std::min(run->memory_offset + run->bytes, end);
    const auto* const data = reinterpret_cast<const std::byte*>(run->data);
    add({memory + image_begin, data + (image_begin - run->memory_offset), image_end - image_begin});
    at = image_end;
  }
}

void ResetPlan::add(const Run& run) {
  runs_.push_back(run);
  bytes_ += run.bytes;
}

void ResetPlan::run() const {
  if (bytes_ > kFirstCacheBytes) {
    for (const Run& run : runs_) restore_changed(run.to, run.from, run.bytes);
    return;
  }
  for (const Run& run : runs_) {
    if (run.from == nullptr) {
      std::memset(run.to, 0, run.bytes);
    } else {
      std::memcpy(run.to, run.from, run.bytes);
    }
  }
}

}  // namespace nur
