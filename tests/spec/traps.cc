#include "tests/spec/traps.h"

#include "host/sandbox/outcome.h"

namespace nur::spec {

bool is_expected_trap(std::string_view expected, nur_trap trap) {
  if (trap == NUR_TRAP_INDIRECT_CALL) {
    for (const std::string_view text :
         {"undefined element", "uninitialized element", "indirect call type mismatch"}) {
      if (expected.starts_with(text)) return true;
    }
    return false;
  }
  return expected.starts_with(to_string(trap));
}

}  // namespace nur::spec
