// How a guest's part of a request ended. Whatever a guest does is an Outcome, never an Error.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "nur/abi.h"

namespace nur {

struct Outcome {
  enum class Kind {
    returned,   // the last call came back
    exited,     // the guest ended itself (WASI proc_exit) with `exit_status`
    trapped,    // stopped for `trap`
    expired,    // out of time
    overspent,  // out of processor time
  };
  Kind kind = Kind::returned;
  nur_trap trap = NUR_TRAP_NONE;
  std::uint32_t exit_status = 0;
  // Of a guest that was stopped: "parse_header <- handle_request <- poll_stream", or
  // "fd_read (host) <- read_all <- main" when that was inside a host call. Empty when nothing is
  // known. Safe to log as it is.
  std::string where;
};

// What a guest was allowed.
struct TimeLimits {
  // From a request's arrival at the function until its guest is done, sleeping and waiting
  // included.
  Nanoseconds timeout = std::chrono::seconds(5);
  // Of the processor; max() for no limit beside the time-out.
  Nanoseconds cpu_time = Nanoseconds::max();
};

// "trap: integer divide by zero in parse_header <- main", "timeout: still running after 5s in
// spin", "cpu time: used more than 50ms in spin": for logs. Of guests that were stopped only.
std::string explain_stop(const Outcome& outcome, const TimeLimits& limits);

// The spec's text: "out of bounds memory access", "integer divide by zero", ...
std::string_view to_string(nur_trap trap);

}  // namespace nur
