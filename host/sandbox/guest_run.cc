#include "host/sandbox/guest_run.h"

#include <algorithm>

#include "base/check.h"

namespace nur {
namespace {

Outcome expired(std::uintptr_t program_counter = 0) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::expired;
  outcome.program_counter = program_counter;
  return outcome;
}

Outcome trapped(nur_trap trap, std::uintptr_t program_counter = 0) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::trapped;
  outcome.trap = trap;
  outcome.program_counter = program_counter;
  return outcome;
}

}  // namespace

GuestRun::GuestRun(Instance& instance, const TrapGuard& guard, const Clock& clock,
                   std::span<const HostFunction> functions, Invocation& invocation,
                   TimePoint deadline)
    : instance_(instance),
      guard_(guard),
      clock_(clock),
      functions_(functions),
      invocation_(invocation),
      deadline_(deadline) {}

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
  if (!next) return trapped(next.error());
  if (!*next) return Outcome{};
  const Invocation::Call& call = **next;
  NUR_CHECK(call.entry < code.export_count && !call.values.empty());
  instance_.call(code.exports[call.entry], call.values.data());
  return std::nullopt;
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
      functions_[stop.call](invocation_.context(), instance_.memory(), stop.values);
  switch (reply.kind) {
    case HostReply::Kind::resume:
      break;
    case HostReply::Kind::trap:
      return trapped(static_cast<nur_trap>(reply.code));
    case HostReply::Kind::exit: {
      Outcome outcome;
      outcome.kind = Outcome::Kind::exited;
      outcome.exit_status = reply.code;
      return outcome;
    }
    case HostReply::Kind::sleep:
      asleep_ = true;
      wake_ = std::min(reply.wake, deadline_);
      break;
  }
  return std::nullopt;
}

std::optional<Outcome> GuestRun::advance() {
  if (asleep_) {
    asleep_ = false;
    if (clock_.now() >= deadline_) return expired();
  }
  while (true) {
    if (!in_call_) {
      if (const std::optional<Outcome> outcome = begin_next_call()) return outcome;
      in_call_ = true;
    }
    const GuestStop& stop = instance_.resume(guard_, deadline_);
    switch (stop.kind) {
      case GuestStop::Kind::returned:
        in_call_ = false;
        break;
      case GuestStop::Kind::trapped:
        return trapped(stop.trap, stop.program_counter);
      case GuestStop::Kind::expired:
        return expired(stop.program_counter);
      case GuestStop::Kind::host_call:
        if (const std::optional<Outcome> outcome = serve(stop)) return outcome;
        // The alarm came while the host was at work: it stops nobody there, it leaves word.
        if (instance_.interrupted()) return expired();
        if (asleep_) return std::nullopt;
        break;
    }
  }
}

}  // namespace nur
