// Durations and sizes as people write them: 500ms 2s 1m; 64KiB 16MiB 1GiB.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace nur {

// A whole or decimal number and one of us ms s m h. Errors: invalid_input.
Result<Nanoseconds> parse_duration(std::string_view text);

// A whole number and one of B KiB MiB GiB (a bare number is bytes). Errors: invalid_input.
Result<std::uint64_t> parse_size(std::string_view text);

// The shortest exact form: "128MiB", "1500ms".
std::string format_size(std::uint64_t bytes);
std::string format_duration(Nanoseconds duration);

}  // namespace nur
