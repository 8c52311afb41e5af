// Values of the scripts and of guests: from text to bits, and whether a result is what is expected.
#pragma once

#include <string>

#include "base/result.h"
#include "nur/abi.h"
#include "tests/spec/script.h"

namespace nur::spec {

// An argument. Number n of the host's references is the address n + 1, so that none is null.
// Errors: invalid_input for a pattern (nan:canonical) or a function reference other than null.
Result<nur_value> value_of(const Literal& literal);

// Bit by bit; NaN patterns as the specification's tests have them (canonical: the quiet bit alone;
// arithmetic: the quiet bit and any others; either sign).
bool matches(const Literal& expected, const nur_value& actual);

// For messages: "i32 7", "v128 00 01 ...".
std::string to_string(ValueType type, const nur_value& value);
std::string to_string(const Literal& literal);

}  // namespace nur::spec
