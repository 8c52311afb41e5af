// The texts of assert_trap and nur's reasons for a trap.
#pragma once

#include <string_view>

#include "nur/abi.h"

namespace nur::spec {

// Whether `trap` is what the script means by `expected`: a text that begins with the reason's own,
// as the specification's test harness compares them. One reason has other words here than there:
//
//   "undefined element", "uninitialized element", "uninitialized element 2",
//   "indirect call type mismatch"
//       are all NUR_TRAP_INDIRECT_CALL: generated code makes one comparison for the three.
bool is_expected_trap(std::string_view expected, nur_trap trap);

}  // namespace nur::spec
