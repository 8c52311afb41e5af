// The clocks as a guest sees them: coarse, in nanoseconds.
#pragma once

#include <cstdint>

#include "host/abi/wasi/process.h"
#include "host/abi/wasi/types.h"

namespace nur::wasi {

// The exact time of that clock. Errors: notsup for CPU time; inval for what is no clock.
inline WasiResult<std::uint64_t> exact_time_ns(const WasiProcess& process, std::uint32_t id) {
  switch (static_cast<ClockId>(id)) {
    case ClockId::realtime:
      return static_cast<std::uint64_t>(process.clocks().realtime().count());
    case ClockId::monotonic:
      return static_cast<std::uint64_t>(
          Nanoseconds(process.clocks().monotonic().time_since_epoch()).count());
    case ClockId::process_cputime:
    case ClockId::thread_cputime:
      return refuse(Errno::notsup);
  }
  return refuse(Errno::inval);
}

}  // namespace nur::wasi
