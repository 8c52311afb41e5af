// Asks the kernel which pages of this process hold something of their own (PAGEMAP_SCAN,
// Linux 6.7).
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "host/sandbox/page_set.h"

namespace nur {

class PageScanner {
 public:
  // Opens /proc/self/pagemap: before a process gives up the right to open files, and again in a
  // child. Errors: not_found when the kernel has no such call, or /proc is not there.
  static Result<PageScanner> open();

  // The pages of `pages_max` or fewer at `begin`, a whole number of pages, that somebody has
  // written since they were mapped or given back, whether they are in memory now or swapped out.
  // Replaces the contents of `runs`. False when there are more than `found_max`, or the kernel
  // fails; all may be written then.
  bool find_written(const std::byte* begin, std::size_t pages, std::size_t found_max,
                    std::vector<PageRun>& runs) const;

 private:
  explicit PageScanner(Fd pagemap) : pagemap_(std::move(pagemap)) {}
  Fd pagemap_;
};

}  // namespace nur
