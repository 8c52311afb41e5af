#include "host/sandbox/guest_run.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace nur {
namespace {

constexpr Nanoseconds kNever = Nanoseconds::max();

Outcome trapped(nur_trap trap, std::string where) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::trapped;
  outcome.trap = trap;
  outcome.where = std::move(where);
  return outcome;
}

}  // namespace

GuestRun::GuestRun(Instance& instance, const TrapGuard& guard, const Clock& clock,
                   std::span<const HostFunction> functions, Invocation& invocation,
                   const RunLimits& limits)
    : instance_(instance),
      guard_(guard),
      clock_(clock),
      functions_(functions),
      invocation_(invocation),
      limits_(limits) {}

std::optional<Outcome> GuestRun::begin_next_call() {
  const struct nur_module& code = instance_.module().code();
  if (!started_) {
    started_ = true;
    if (code.start != nullptr) {
      instance_.call(code.start, &no_values_);
      return std::nullopt;
    }
  }
  const auto next = invocation_.next_call(instance_.memory());
  if (!next) return trapped(next.error(), "");  // no function is running
  if (!*next) return Outcome{};
  const Invocation::Call& call = **next;
  if (call.values.empty()) {
    wait_for(Pause::waits_for_client, TimePoint::max());
    return std::nullopt;
  }
  NUR_CHECK(call.entry < code.export_count);
  if (call.renews_limits && limits_.timeout > Nanoseconds(0)) {
    limits_.deadline = slice_began_ + limits_.timeout;
    used_ = Nanoseconds(0);
  }
  instance_.call(code.exports[call.entry], call.values.data());
  return std::nullopt;
}

void GuestRun::wait_for(Pause pause, TimePoint until) {
  pause_ = pause;
  wake_ = pause == Pause::waits ? std::min(until, limits_.deadline) : until;
}

void GuestRun::end_wait(TimePoint now) {
  // What the client took is not the guest's time.
  if (pause_ == Pause::waits_for_client && limits_.deadline != TimePoint::max()) {
    limits_.deadline += now - wait_began_;
  }
}

Outcome GuestRun::stopped(Outcome::Kind kind, const GuestStop& stop) const {
  Outcome outcome;
  outcome.kind = kind;
  outcome.where = where(stop);
  return outcome;
}

std::string GuestRun::where(const GuestStop& stop) const {
  constexpr std::size_t kNameBytes = 200;
  const std::string guest = instance_.backtrace();
  std::string host;
  if (stop.kind == GuestStop::Kind::host_call) {
    const auto& imports = instance_.module().manifest().imports;
    if (stop.call == NUR_CALL_GROW_MEMORY) host = "memory.grow (host)";
    if (stop.call < imports.size()) {
      host = printable(imports[stop.call].name, kNameBytes) + " (host)";
    }
  }
  return host.empty() || guest.empty() ? host + guest : host + " <- " + guest;
}

std::optional<Outcome> GuestRun::serve(const GuestStop& stop) {
  if (stop.call == NUR_CALL_INTERRUPTED) return std::nullopt;
  if (stop.call == NUR_CALL_GROW_MEMORY) {
    const std::optional<std::uint32_t> old_pages = instance_.grow_memory(stop.values[0].i32);
    stop.values[0].i64 = old_pages.value_or(UINT32_MAX);
    stop.values[1].i64 = instance_.memory().size();
    return std::nullopt;
  }
  NUR_CHECK(stop.call < functions_.size());
  const HostReply reply =
      functions_[stop.call](invocation_.context(stop.call), instance_.memory(), stop.values);
  switch (reply.kind) {
    case HostReply::Kind::resume:
      break;
    case HostReply::Kind::trap:
      return trapped(static_cast<nur_trap>(reply.code), where(stop));
    case HostReply::Kind::exit: {
      Outcome outcome;
      outcome.kind = Outcome::Kind::exited;
      outcome.exit_status = reply.code;
      return outcome;
    }
    case HostReply::Kind::sleep:
      pause_ = Pause::asleep;
      wake_ = std::min(reply.wake, limits_.deadline);
      break;
    case HostReply::Kind::wait:
    case HostReply::Kind::wait_for_client:
      asks_again_ = true;
      wait_for(reply.kind == HostReply::Kind::wait ? Pause::waits : Pause::waits_for_client,
               reply.wake);
      break;
  }
  return std::nullopt;
}

std::optional<Outcome> GuestRun::serve_and_look(const GuestStop& stop) {
  if (const std::optional<Outcome> outcome = serve(stop)) return outcome;
  // The alarm came where it can stop nobody, and has left word.
  if (instance_.interrupted()) {
    if (clock_.now() >= limits_.deadline) return stopped(Outcome::Kind::expired, stop);
    instance_.clear_interrupt();
    if (pause_ == Pause::none) pause_ = Pause::switched_out;
  }
  return std::nullopt;
}

std::optional<Outcome> GuestRun::run_until(TimePoint slice_end) {
  pause_ = Pause::none;
  if (std::exchange(asks_again_, false)) {
    if (const auto outcome = serve_and_look(instance_.last_stop())) return outcome;
    if (pause_ != Pause::none) return std::nullopt;
  }
  while (true) {
    if (!in_call_) {
      if (const std::optional<Outcome> outcome = begin_next_call()) return outcome;
      if (pause_ != Pause::none) return std::nullopt;
      in_call_ = true;
    }
    const GuestStop& stop = instance_.resume(guard_, limits_.deadline, slice_end);
    switch (stop.kind) {
      case GuestStop::Kind::returned:
        in_call_ = false;
        break;
      case GuestStop::Kind::trapped:
        return trapped(stop.trap, where(stop));
      case GuestStop::Kind::expired:
        return stopped(Outcome::Kind::expired, stop);
      case GuestStop::Kind::switched_out:
        pause_ = Pause::switched_out;
        return std::nullopt;
      case GuestStop::Kind::host_call:
        if (const std::optional<Outcome> outcome = serve_and_look(stop)) return outcome;
        if (pause_ != Pause::none) return std::nullopt;
        break;
    }
  }
}

std::optional<Outcome> GuestRun::run_slice(TimePoint now, Nanoseconds longest, bool is_first) {
  const Nanoseconds left = std::max(Nanoseconds(limits_.deadline - now), Nanoseconds(0));
  const Nanoseconds slice = std::min({longest, limits_.quantum, left, limits_.cpu_time - used_});
  // With no quantum the first slice may be a long one, in which the machine ran others, too.
  const bool is_estimated = is_first && (limits_.quantum != kNever || limits_.cpu_time == kNever);
  const Nanoseconds used_before = is_estimated ? Nanoseconds(0) : thread_cpu_time();
  slice_began_ = now;
  if (std::optional<Outcome> outcome = run_until(now + slice)) return outcome;
  const TimePoint end = clock_.now();
  used_ += is_estimated ? std::clamp(Nanoseconds(end - now), Nanoseconds(0), slice)
                        : thread_cpu_time() - used_before;
  if (pause_ == Pause::switched_out) wake_ = end;
  wait_began_ = end;
  if (used_ >= limits_.cpu_time) return stopped(Outcome::Kind::overspent, instance_.last_stop());
  return std::nullopt;
}

std::optional<Outcome> GuestRun::advance(TimePoint now, Nanoseconds slice) {
  // A guest that had nothing to do begins like a new one.
  const bool is_first = pause_ == Pause::none || (is_wait(pause_) && !in_call_);
  if (is_wait(pause_)) end_wait(now);
  if (now >= limits_.deadline) {
    if (in_call_) return stopped(Outcome::Kind::expired, instance_.last_stop());
    Outcome outcome;  // no function has run
    outcome.kind = Outcome::Kind::expired;
    return outcome;
  }
  std::optional<Outcome> outcome = run_slice(now, slice, is_first);
  // Only to look at the processor time it has used.
  while (!outcome && limits_.quantum == kNever && pause_ == Pause::switched_out) {
    outcome = run_slice(wake_, slice, /*is_first=*/false);
  }
  return outcome;
}

}  // namespace nur
