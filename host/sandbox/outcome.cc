#include "host/sandbox/outcome.h"

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

}  // namespace nur
