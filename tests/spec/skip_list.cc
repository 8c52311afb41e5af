#include "tests/spec/skip_list.h"

#include <charconv>
#include <optional>
#include <sstream>

namespace nur::spec {
namespace {

constexpr std::size_t kListBytesMax = std::size_t{1} << 20;

std::optional<int> number_from(std::string_view text) {
  int number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

// "74-76,82". False when it is not understood.
bool add_lines(const std::string& ranges, const std::string& reason, SkippedLines& lines) {
  std::istringstream parts(ranges);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t dash = part.find('-');
    const std::optional<int> first = number_from(std::string_view(part).substr(0, dash));
    const std::optional<int> last =
        dash == std::string::npos ? first : number_from(std::string_view(part).substr(dash + 1));
    if (!first || !last || *last < *first) return false;
    for (int line = *first; line <= *last; ++line) lines[line] = reason;
  }
  return true;
}

}  // namespace

Result<SkipList> parse_skip_list(std::string_view text) {
  SkipList list;
  std::istringstream lines{std::string(text)};
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    std::string file;
    std::string ranges;
    std::string reason;
    words >> file >> ranges >> std::ws;
    std::getline(words, reason);
    if (reason.empty() || !add_lines(ranges, reason, list[file])) {
      return fail(ErrorKind::invalid_input, "line {}: expected FILE LINES REASON, found \"{}\"",
                  number, line);
    }
  }
  return list;
}

Result<SkipList> read_skip_list(const Path& file) {
  return in_context(parse_skip_list(NUR_TRY(read_file(file, kListBytesMax))), file.string());
}

}  // namespace nur::spec
