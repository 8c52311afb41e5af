// The process's log: one line per event on stderr, "2026-01-31T12:00:00.123Z level text", cut to
// 4,096 bytes so that lines of several processes never mix.
// Text of guests goes through printable() first, so that a log line is one line.
#pragma once

#include <string>
#include <string_view>

#include <spdlog/spdlog.h>

namespace nur {

enum class LogLevel { debug, info, warning, error, off };

// Called once by each main before anything logs.
void start_logging(LogLevel level);

// `text` with control characters as \n, \t, \xNN and invalid UTF-8 as U+FFFD, cut to `bytes_max`
// (then ending in "...").
std::string printable(std::string_view text, std::size_t bytes_max = 4096);

}  // namespace nur
