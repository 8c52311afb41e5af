// One call of a function as Nebula tells of it: in JSON and in HTML.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/file.h"

namespace nur {

struct NebulaResult {
  std::string function;
  std::string input;
  std::string result;
  std::uint64_t startup_us = 0;         // until the function runs
  std::uint64_t total_us = 0;           // until its output is read
  std::uint64_t start_since_epoch = 0;  // in microseconds
  std::string func_type = "Wasm";
  std::string base_image = "N/A";

  // Of the total, in whole percent.
  [[nodiscard]] double startup_percentage() const;
};

// {"metrics":{"startup_time":...},"result":...,...}; bytes that are no UTF-8 become U+FFFD.
std::string to_json(const NebulaResult& result);
// nullopt for what to_json did not make.
std::optional<NebulaResult> nebula_result_of(std::string_view json);

// {"results":[...]}.
std::string headless_json(std::span<const NebulaResult> results);
// Sums of what calls took.
struct NebulaTimes {
  std::uint64_t calls = 0;
  std::uint64_t startup_us = 0;
  std::uint64_t total_us = 0;
  NebulaTimes& operator+=(const NebulaTimes& other);
  NebulaTimes& operator-=(const NebulaTimes& other);
};

// The list of `results`, in their order, with averages above.
std::string history_html(std::span<const NebulaResult> results);
// Its pieces: averages, an entry for each result, the end.
std::string history_head_html(const NebulaTimes& wasm, const NebulaTimes& docker);
std::string history_item_html(const NebulaResult& result);
inline constexpr std::string_view kHistoryTail = "</ol>\n</div>\n";
// The page of one call, and that of one that failed.
std::string call_html(const NebulaResult& result);
std::string timed_call_html(const NebulaResult& result);
std::string failure_html(std::string_view what);

// Safe between tags and in quoted attributes.
std::string html_escaped(std::string_view text);

}  // namespace nur
