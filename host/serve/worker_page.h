// What a worker tells while it works, in memory that the master sees: plain stores, no system call.
//
// One page a worker, made before it is forked; what is in it outlives the worker.
#pragma once

#include <cstdint>

#include "host/net/connection.h"
#include "host/sandbox/fault_record.h"

namespace nur {

struct GuestCounters {
  std::uint64_t trapped = 0;
  std::uint64_t expired = 0;
  std::uint64_t no_instance = 0;  // 503
  std::uint64_t quarantined = 0;  // 503
};

// Instead of how many connections a worker has, until it serves.
inline constexpr std::uint64_t kNotServing = UINT64_MAX;

struct WorkerPage {
  ServerCounters http;
  ServerCounters tcp;  // listeners of --tcp
  GuestCounters guests;
  // The function that the worker works for, by its number and one more; 0 when for none.
  volatile std::uint32_t function = 0;
  // How often `function` was set: it stands still when a worker hangs.
  volatile std::uint64_t turns = 0;
  FaultRecord fault;
};

// For as long as it lives, whatever goes wrong is on the account of one function.
class OnAccountOf {
 public:
  OnAccountOf(WorkerPage& page, std::uint32_t number) : page_(page), before_(page.function) {
    page_.turns = page_.turns + 1;
    page_.function = number + 1;
  }
  ~OnAccountOf() { page_.function = before_; }
  OnAccountOf(const OnAccountOf&) = delete;
  OnAccountOf& operator=(const OnAccountOf&) = delete;

 private:
  WorkerPage& page_;
  const std::uint32_t before_;
};

}  // namespace nur
