#include "host/sandbox/machine_limits.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace nur {
namespace {

// The number that `text` begins with, behind blanks; nullopt for "max" and "unlimited".
std::optional<std::uint64_t> number_in(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + begin, end, number);
  if (parsed.ec == std::errc::result_out_of_range) return UINT64_MAX;
  if (parsed.ec != std::errc()) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> number_of_file(const Path& file) {
  std::ifstream stream(file);
  std::string line;
  if (!std::getline(stream, line)) return std::nullopt;
  return number_in(line);
}

// What stands behind `label` in the line that begins with it.
std::optional<std::uint64_t> number_behind(const Path& file, std::string_view label) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with(label)) return number_in(std::string_view(line).substr(label.size()));
  }
  return std::nullopt;
}

void lower(std::uint64_t& limit, std::optional<std::uint64_t> other) {
  if (other) limit = std::min(limit, *other);
}

// The limits of a group and of those above it. Inside a container the group's path may be the
// host's, of which only the end or nothing is there: what is missing is passed over.
void apply_group(std::uint64_t& limit, const Path& hierarchy, const Path& group, const char* file) {
  Path at = group.relative_path();
  while (true) {
    lower(limit, number_of_file(hierarchy / at / file));
    if (at.empty()) return;
    at = at.parent_path();
  }
}

void apply_groups(std::uint64_t& limit, const Path& root) {
  const Path groups = root / "sys/fs/cgroup";
  std::ifstream stream(root / "proc/self/cgroup");
  for (std::string line; std::getline(stream, line);) {
    // number ":" controllers ":" path; of version 2 the number is 0 and there are no controllers.
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const Path group = line.substr(second + 1);
    if (controllers == ",,") apply_group(limit, groups, group, "memory.max");
    if (controllers.find(",memory,") != std::string::npos) {
      apply_group(limit, groups / "memory", group, "memory.limit_in_bytes");
    }
  }
}

}  // namespace

MachineLimits read_machine_limits(const Path& root) {
  MachineLimits limits;
  lower(limits.address_bytes, number_behind(root / "proc/self/limits", "Max address space"));
  if (const auto kilobytes = number_behind(root / "proc/meminfo", "MemTotal:")) {
    lower(limits.memory_bytes, *kilobytes * 1024);
  }
  apply_groups(limits.memory_bytes, root);
  if (const auto mappings = number_of_file(root / "proc/sys/vm/max_map_count")) {
    limits.mappings = *mappings;
  }
  return limits;
}

SlotAmounts slot_limits(const MachineLimits& machine, std::size_t workers) {
  SlotAmounts limits;
  // Each worker has its own addresses and mappings; memory is shared. A sixteenth of mappings and
  // addresses is for the program and loaded functions, a quarter of memory for requests, answers
  // and what guests grow by.
  limits.address_bytes = machine.address_bytes / 16 * 15;
  limits.mappings = machine.mappings / 16 * 15;
  limits.memory_bytes = machine.memory_bytes / 4 * 3 / std::max<std::size_t>(workers, 1);
  return limits;
}

}  // namespace nur
