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
    // Parameters on the way in, results on the way out; at least one. None: there is nothing to
    // call yet (wait_for_client).
    std::span<nur_value> values;
    // A piece of work of its own: time-out and processor time count from here.
    bool renews_limits = false;

    // The client has not sent what the next call is about: asked again when the task is woken.
    static Call wait_for_client() { return {}; }
  };
  // The next function to call; nullopt when there is nothing left to do; a trap when the guest
  // broke the ABI. Asked again after each call that returned, whose results are in the values of
  // then.
  virtual std::expected<std::optional<Call>, nur_trap> next_call(const GuestMemory& memory) = 0;

  // Handed to the host function behind the import of that number.
  virtual void* context(std::uint32_t import) = 0;
};

struct RunLimits {
  // Absolute, and includes the time the guest sleeps, waits or waits for its turn, but for its
  // client: by what that takes the deadline moves.
  TimePoint deadline{};
  // Of each call that renews the limits.
  Nanoseconds timeout{};
  // After so long without a pause the guest is switched out, so that others get their turn.
  Nanoseconds quantum = Nanoseconds::max();
  // Of processor time, host functions included; looked at when a slice ends. A first slice counts
  // as the time that passed, at most a quantum, so that requests which need no more cost no system
  // call.
  Nanoseconds cpu_time = Nanoseconds::max();
};

class GuestRun {
 public:
  // `functions` has one host function per import. All references outlive the run.
  GuestRun(Instance& instance, const TrapGuard& guard, const Clock& clock,
           std::span<const HostFunction> functions, Invocation& invocation,
           const RunLimits& limits);

  // Runs until the guest is done and returns the outcome; or until it wants to sleep or to wait, or
  // its slice of time is over: advance() is called again at `wake()` or later, and sooner when one
  // that waits is woken. `now` is the clock's, or was a moment ago. `slice` is for this time only,
  // and not longer than a quantum.
  std::optional<Outcome> advance(TimePoint now, Nanoseconds slice = Nanoseconds::max());

  // In the past, when it has been switched out; TimePoint::max() when only a waker goes on with it.
  [[nodiscard]] TimePoint wake() const { return wake_; }
  [[nodiscard]] bool switched_out() const { return pause_ == Pause::switched_out; }
  // It is to be woken, and may be woken for nothing.
  [[nodiscard]] bool waits() const { return is_wait(pause_); }
  // The same for its client alone; since when it has waited.
  [[nodiscard]] bool waits_for_client() const { return pause_ == Pause::waits_for_client; }
  [[nodiscard]] TimePoint wait_began() const { return wait_began_; }
  // What it has used of the processor; 0 until it first pauses.
  [[nodiscard]] Nanoseconds used() const { return used_; }
  [[nodiscard]] const RunLimits& limits() const { return limits_; }

 private:
  enum class Pause : std::uint8_t { none, asleep, waits, waits_for_client, switched_out };
  static bool is_wait(Pause pause) {
    return pause == Pause::waits || pause == Pause::waits_for_client;
  }

  // The outcome, or nullopt with why the guest pauses.
  std::optional<Outcome> run_slice(TimePoint now, Nanoseconds longest, bool is_first);
  std::optional<Outcome> run_until(TimePoint slice_end);
  // An outcome when there is nothing to call any more.
  std::optional<Outcome> begin_next_call();
  // The host call that the guest is in; an outcome if it ends the run.
  std::optional<Outcome> serve_and_look(const GuestStop& stop);
  void wait_for(Pause pause, TimePoint until);
  void end_wait(TimePoint now);
  [[nodiscard]] Outcome stopped(Outcome::Kind kind, const GuestStop& stop) const;
  // Of a guest that was stopped where it is now.
  [[nodiscard]] std::string where(const GuestStop& stop) const;
  // Fills in the values of the host call the guest stopped for; an outcome if it ends the run.
  std::optional<Outcome> serve(const GuestStop& stop);

  Instance& instance_;
  const TrapGuard& guard_;
  const Clock& clock_;
  std::span<const HostFunction> functions_;
  Invocation& invocation_;
  RunLimits limits_;
  TimePoint wake_{};
  TimePoint slice_began_{};
  TimePoint wait_began_{};
  Nanoseconds used_{};
  Pause pause_ = Pause::none;
  bool in_call_ = false;
  bool asks_again_ = false;  // the host call that the guest is in
  bool started_ = false;
  nur_value no_values_{};
};

}  // namespace nur
