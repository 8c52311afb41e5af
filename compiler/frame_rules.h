// The C compiler's call frame information (DWARF 4, 6.4), reduced to what walking a guest's stack
// needs: CFA and rbp. It is in .debug_frame of the linked object, which no segment loads, because
// wasm-rt.h tells the assembler so.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "base/function_table.h"
#include "base/result.h"

namespace nur {

// Rows of each piece of code, by its address. Where the compiler used something that a FrameRule
// cannot say, the rule is unknown. Errors: internal when the section is malformed.
Result<std::map<std::uint64_t, std::vector<FrameRow>>> read_frame_rules(
    std::string_view debug_frame);

}  // namespace nur
