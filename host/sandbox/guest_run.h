// A guest's whole part of one request: calls into its instance, one after the other, with the host
// calls it makes on the way.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>

#include "base/clock.h"
#include "host/sandbox/host_function.h"
#include "host/sandbox/instance.h"
#include "host/sandbox/outcome.h"

namespace nur {

// What a guest ABI wants called, and what it makes of the results. One per request.
class Invocation {
 public:
  virtual ~Invocation() = default;

  struct Call {
    std::uint32_t entry = 0;  // index into nur_module.exports
    // Parameters on the way in, results on the way out; at least one.
    std::span<nur_value> values;
  };
  // The next function to call; nullopt when there is nothing left to do; a trap when the guest
  // broke the ABI. Asked again after each call that returned, whose results are in the values of
  // then.
  virtual std::expected<std::optional<Call>, nur_trap> next_call(const GuestMemory& memory) = 0;

  // Handed to host functions.
  virtual void* context() = 0;
};

class GuestRun {
 public:
  // `functions` has one host function per import. All references outlive the run. `deadline` is
  // absolute, and includes the time the guest sleeps.
  GuestRun(Instance& instance, const TrapGuard& guard, const Clock& clock,
           std::span<const HostFunction> functions, Invocation& invocation, TimePoint deadline);

  // Runs until the guest is done, or wants to sleep: then `wake()` says until when, and advance()
  // is called again at that time. Returns the outcome once there is one.
  std::optional<Outcome> advance();

  [[nodiscard]] TimePoint wake() const { return wake_; }

 private:
  // An outcome when there is nothing to call any more.
  std::optional<Outcome> begin_next_call();
  // Of a guest that was stopped where it is now.
  [[nodiscard]] std::string where(const GuestStop& stop) const;
  // Fills in the values of the host call the guest stopped for; an outcome if it ends the run.
  std::optional<Outcome> serve(const GuestStop& stop);

  Instance& instance_;
  const TrapGuard& guard_;
  const Clock& clock_;
  std::span<const HostFunction> functions_;
  Invocation& invocation_;
  const TimePoint deadline_;
  TimePoint wake_{};
  bool asleep_ = false;
  bool in_call_ = false;
  bool started_ = false;
  nur_value no_values_{};
};

}  // namespace nur
