#include "base/function_table.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <set>

#include "base/bytes.h"
#include "base/check.h"

namespace nur {
namespace {

constexpr std::string_view kMagic("nurf", 4);
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kHeaderBytes = 24;
constexpr std::size_t kEntryBytes = 24;
constexpr std::size_t kRuleBytes = 12;
constexpr std::uint16_t kFlagEntry = 1;

template <class T>
void append(std::string& out, T value) {
  // x86-64 is little-endian, as the format is.
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_leb128(std::string& out, std::uint32_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

template <class T>
T number_at(std::string_view bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.substr(offset, sizeof value).data(), sizeof value);
  return value;
}

std::string encode_rule(const FrameRule& rule) {
  std::string out;
  append(out, static_cast<std::uint8_t>(rule.cfa));
  append(out, rule.base);
  append(out, static_cast<std::uint8_t>(rule.frame_pointer));
  append(out, std::uint8_t{0});
  append(out, rule.cfa_offset);
  append(out, rule.frame_pointer_offset);
  return out;
}

std::optional<FrameRule> decode_rule(std::string_view bytes) {
  const auto cfa = number_at<std::uint8_t>(bytes, 0);
  const auto frame_pointer = number_at<std::uint8_t>(bytes, 2);
  FrameRule rule;
  rule.base = number_at<std::uint8_t>(bytes, 1);
  if (cfa > static_cast<std::uint8_t>(FrameRule::Cfa::memory) ||
      frame_pointer > static_cast<std::uint8_t>(FrameRule::FramePointer::unknown) ||
      rule.base >= kDwarfGeneralRegisters) {
    return std::nullopt;
  }
  rule.cfa = static_cast<FrameRule::Cfa>(cfa);
  rule.frame_pointer = static_cast<FrameRule::FramePointer>(frame_pointer);
  rule.cfa_offset = number_at<std::int32_t>(bytes, 4);
  rule.frame_pointer_offset = number_at<std::int32_t>(bytes, 8);
  return rule;
}

// Gives each value that is added the number of its first appearance.
template <class T>
class Numbers {
 public:
  // True when `value` is new.
  std::pair<std::uint32_t, bool> number_of(const T& value) {
    const auto [at, added] = numbers_.emplace(value, static_cast<std::uint32_t>(numbers_.size()));
    return {at->second, added};
  }
  [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(numbers_.size()); }

 private:
  std::map<T, std::uint32_t> numbers_;
};

std::uint32_t small(std::uint64_t value) {
  NUR_CHECK(value <= std::numeric_limits<std::uint32_t>::max());
  return static_cast<std::uint32_t>(value);
}

}  // namespace

std::string encode_function_table(std::vector<NativeFunction> functions) {
  std::ranges::stable_sort(functions, {}, &NativeFunction::address);

  std::string entries;
  std::string rules;
  std::string names;
  std::string rows;
  Numbers<FrameRule> rule_numbers;
  std::map<std::string_view, std::uint32_t> name_offsets;  // parts of a function share its name
  for (const NativeFunction& function : functions) {
    const std::string_view name = std::string_view(function.name).substr(0, kFunctionNameBytesMax);
    const auto [name_at, is_new] = name_offsets.emplace(name, small(names.size()));
    if (is_new) names += name;
    append(entries, small(function.address));
    append(entries, small(function.bytes));
    append(entries, function.wasm_index);
    append(entries, name_at->second);
    append(entries, static_cast<std::uint16_t>(name.size()));
    append(entries, function.is_entry ? kFlagEntry : std::uint16_t{0});
    append(entries, small(rows.size()));

    append_leb128(rows, small(function.rows.size()));
    std::uint32_t before = 0;
    for (const FrameRow& row : function.rows) {
      const auto [number, added] = rule_numbers.number_of(row.rule);
      if (added) rules += encode_rule(row.rule);
      append_leb128(rows, row.offset - before);
      append_leb128(rows, number);
      before = row.offset;
    }
  }
  std::string out(kMagic);
  append(out, kVersion);
  append(out, small(functions.size()));
  append(out, rule_numbers.count());
  append(out, small(names.size()));
  append(out, small(rows.size()));
  return out + entries + rules + names + rows;
}

Result<FunctionTable> FunctionTable::read(std::string_view section) {
  const auto malformed = [](std::string_view what) {
    return fail(ErrorKind::invalid_input, "{}: {}", kFunctionsSection, what);
  };
  ByteReader reader(section);
  if (section.size() < kHeaderBytes) return malformed("too short for its header");
  if (reader.take(kMagic.size()) != kMagic) return malformed("wrong magic");
  if (reader.little_endian<std::uint32_t>() != kVersion) {
    return malformed("a version this program does not know");
  }
  FunctionTable table;
  table.count_ = *reader.little_endian<std::uint32_t>();
  table.rule_count_ = *reader.little_endian<std::uint32_t>();
  const std::uint32_t name_bytes = *reader.little_endian<std::uint32_t>();
  const std::uint32_t row_bytes = *reader.little_endian<std::uint32_t>();
  if (reader.remaining() != std::uint64_t{table.count_} * kEntryBytes +
                                std::uint64_t{table.rule_count_} * kRuleBytes + name_bytes +
                                row_bytes) {
    return malformed("its length is not what its header says");
  }
  table.entries_ = *reader.take(std::size_t{table.count_} * kEntryBytes);
  table.rules_ = *reader.take(std::size_t{table.rule_count_} * kRuleBytes);
  table.names_ = *reader.take(name_bytes);
  table.rows_ = *reader.take(row_bytes);
  return table;
}

FunctionTable::Entry FunctionTable::entry(std::uint32_t i) const {
  NUR_CHECK(i < count_);
  const std::string_view bytes = entries_.substr(std::size_t{i} * kEntryBytes, kEntryBytes);
  Entry entry;
  entry.address = number_at<std::uint32_t>(bytes, 0);
  entry.bytes = number_at<std::uint32_t>(bytes, 4);
  entry.wasm_index = number_at<std::uint32_t>(bytes, 8);
  const auto name_at = number_at<std::uint32_t>(bytes, 12);
  const auto name_bytes = number_at<std::uint16_t>(bytes, 16);
  if (name_at <= names_.size() && name_bytes <= names_.size() - name_at) {
    entry.name = names_.substr(name_at, name_bytes);
  }
  entry.is_entry = (number_at<std::uint16_t>(bytes, 18) & kFlagEntry) != 0;
  entry.rows_at = number_at<std::uint32_t>(bytes, 20);
  return entry;
}

std::optional<FunctionTable::Entry> FunctionTable::find(std::uint64_t address) const {
  std::uint32_t begin = 0;  // the first entry above `address` is in [begin, end]
  std::uint32_t end = count_;
  while (begin < end) {
    const std::uint32_t middle = begin + (end - begin) / 2;
    if (number_at<std::uint32_t>(entries_, std::size_t{middle} * kEntryBytes) <= address) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  if (begin == 0) return std::nullopt;
  const Entry found = entry(begin - 1);
  if (address < found.address || address - found.address >= found.bytes) return std::nullopt;
  return found;
}

std::optional<FrameRule> FunctionTable::rule_at(const Entry& entry, std::uint64_t address,
                                                std::uint64_t& rows_left) const {
  if (entry.rows_at > rows_.size()) return std::nullopt;
  ByteReader reader(rows_.substr(entry.rows_at));
  const std::optional<std::uint32_t> count = reader.leb128<std::uint32_t>();
  if (!count) return std::nullopt;

  std::optional<std::uint32_t> found;
  std::uint64_t at = entry.address;
  for (std::uint32_t i = 0; i < *count; ++i) {
    if (rows_left == 0) return std::nullopt;
    --rows_left;
    const std::optional<std::uint32_t> delta = reader.leb128<std::uint32_t>();
    const std::optional<std::uint32_t> rule = reader.leb128<std::uint32_t>();
    if (!delta || !rule) return std::nullopt;
    at += *delta;
    if (at > address) break;
    found = rule;
  }
  if (!found || *found >= rule_count_) return std::nullopt;
  return decode_rule(rules_.substr(std::size_t{*found} * kRuleBytes, kRuleBytes));
}

std::size_t FunctionTable::wasm_functions() const {
  std::set<std::uint32_t> indices;
  for (std::uint32_t i = 0; i < count_; ++i) indices.insert(entry(i).wasm_index);
  indices.erase(NativeFunction::kNone);
  return indices.size();
}

}  // namespace nur
