// What this machine lets a process have, as the kernel tells it in files.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/file.h"
#include "host/sandbox/slot_budget.h"

namespace nur {

struct MachineLimits {
  std::uint64_t address_bytes = std::uint64_t{1} << 47;  // user space; RLIMIT_AS
  std::uint64_t memory_bytes = UINT64_MAX;               // the machine's, the control group's
  std::uint64_t mappings = 65'530;                       // vm.max_map_count, its default

  bool operator==(const MachineLimits&) const = default;
};

// Reads proc/self/limits, proc/self/cgroup, proc/meminfo, proc/sys/vm/max_map_count and the files
// of the control group (version 2 or 1) and of those above it, below `root`. What cannot be read
// does not limit.
MachineLimits read_machine_limits(const Path& root = "/");

// What the instances of one of so many workers may take of that, leaving something for all else.
SlotAmounts slot_limits(const MachineLimits& machine, std::size_t workers);

}  // namespace nur
