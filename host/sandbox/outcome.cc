#include "host/sandbox/outcome.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/units.h"

namespace nur {

std::string_view to_string(nur_trap trap) {
  switch (trap) {
    case NUR_TRAP_NONE:
      return "none";
    case NUR_TRAP_OUT_OF_BOUNDS_MEMORY:
      return "out of bounds memory access";
    case NUR_TRAP_OUT_OF_BOUNDS_TABLE:
      return "out of bounds table access";
    case NUR_TRAP_INTEGER_OVERFLOW:
      return "integer overflow";
    case NUR_TRAP_DIVIDE_BY_ZERO:
      return "integer divide by zero";
    case NUR_TRAP_INVALID_CONVERSION:
      return "invalid conversion to integer";
    case NUR_TRAP_UNREACHABLE:
      return "unreachable";
    case NUR_TRAP_INDIRECT_CALL:
      return "indirect call type mismatch";
    case NUR_TRAP_STACK_OVERFLOW:
      return "call stack exhausted";
    case NUR_TRAP_HOST:
      return "host call refused";
    case NUR_TRAP_COUNT:
      break;
  }
  return "unknown trap";
}

std::string explain_stop(const Outcome& outcome, const TimeLimits& limits) {
  const std::string where = outcome.where.empty() ? "" : " in " + outcome.where;
  if (outcome.kind == Outcome::Kind::trapped) {
    return fmt::format("trap: {}{}", to_string(outcome.trap), where);
  }
  if (outcome.kind == Outcome::Kind::overspent) {
    return fmt::format("cpu time: used more than {}{}", format_duration(limits.cpu_time), where);
  }
  NUR_CHECK(outcome.kind == Outcome::Kind::expired);
  return fmt::format("timeout: still running after {}{}", format_duration(limits.timeout), where);
}

}  // namespace nur
