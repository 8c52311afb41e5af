// What we change in the C that wasm2c writes.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace nur {

// The edits on the text of m-impl.h, which all of the module's C includes: each of the expected
// passages must be there exactly once. Errors: internal, naming the passage.
Result<std::string> adapt_generated_c(std::string text);

// The same of m.h.
Result<std::string> adapt_generated_header(std::string text);

// nur_types.h (runtime/guest/nur_calls.h), from the file that defines the module's function types.
// Errors: internal, naming the type whose definition is not as expected.
Result<std::string> function_type_numbers(std::string_view text);

// The edits on the text of a file of definitions. Two functions of it lose what they do:
//   - one finds a type among all others for modules that link to this one, which none do: 2,000
//     types in 33 KB of a module make a C compiler work on it for 30 s;
//   - one stores where imported functions find the host, which the instance itself is.
// Errors: internal when they are not as expected.
Result<std::string> adapt_generated_source(std::string text);

}  // namespace nur
