#include "base/units.h"

#include <array>
#include <charconv>
#include <cmath>

namespace nur {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kDurations{Unit{"us", 1'000}, Unit{"ms", 1'000'000}, Unit{"s", 1'000'000'000},
                                Unit{"m", 60'000'000'000}, Unit{"h", 3'600'000'000'000}};
constexpr std::array kSizes{Unit{"B", 1}, Unit{"KiB", 1 << 10}, Unit{"MiB", 1 << 20},
                            Unit{"GiB", 1 << 30}};

// From here on no product overflows: about 146 years, and 1 PiB.
constexpr double kDurationMax = 4.6e18;
constexpr std::uint64_t kSizeMax = std::uint64_t{1} << 50;

template <class Units>
std::string in_largest_unit(std::uint64_t value, const Units& units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.factor == 0) best = &unit;
  }
  return fmt::format("{}{}", value / best->factor, best->name);
}

}  // namespace

Result<Nanoseconds> parse_duration(std::string_view text) {
  double number = 0;
  const auto parsed =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  const std::string_view suffix = text.substr(static_cast<std::size_t>(parsed.ptr - text.data()));
  if (parsed.ec == std::errc() && number >= 0 && std::isfinite(number)) {
    for (const Unit& unit : kDurations) {
      if (suffix != unit.name) continue;
      const double total = number * static_cast<double>(unit.factor);
      if (total > kDurationMax) break;
      return Nanoseconds(static_cast<std::int64_t>(std::llround(total)));
    }
  }
  return fail(ErrorKind::invalid_input, "\"{}\" is no duration; write 500ms, 2s or 1m", text);
}

Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view suffix = text.substr(static_cast<std::size_t>(parsed.ptr - text.data()));
  if (parsed.ec == std::errc()) {
    if (suffix.empty() && number <= kSizeMax) return number;
    for (const Unit& unit : kSizes) {
      if (suffix == unit.name && number <= kSizeMax / unit.factor) return number * unit.factor;
    }
  }
  return fail(ErrorKind::invalid_input, "\"{}\" is no size; write 64KiB, 16MiB or 1GiB", text);
}

std::string format_size(std::uint64_t bytes) { return in_largest_unit(bytes, kSizes); }

std::string format_duration(Nanoseconds duration) {
  return in_largest_unit(static_cast<std::uint64_t>(duration.count()), kDurations);
}

}  // namespace nur
