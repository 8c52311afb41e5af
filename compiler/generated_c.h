// What we change in the C that wasm2c writes.
#pragma once

#include <string>

#include "base/result.h"

namespace nur {

// The edits on the text of m-impl.h, which all of the module's C includes: each of the expected
// passages must be there exactly once. Errors: internal, naming the passage.
Result<std::string> adapt_generated_c(std::string text);

// The same of m.h.
Result<std::string> adapt_generated_header(std::string text);

}  // namespace nur
