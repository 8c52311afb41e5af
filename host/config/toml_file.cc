#include "host/config/toml_file.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/units.h"

// The only translation unit that includes it: it takes seconds.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
// Some of its assertions are about what was written in the file ("[=]"), which it refuses behind
// them, too.
#define TOML_ASSERT(expr) static_assert(true)
#include <toml++/toml.h>

namespace nur {
namespace {

// A key in a message.
constexpr std::size_t kNameBytesMax = 200;
// Tables in tables; ours are three deep.
constexpr int kDepthMax = 32;

TomlPlace place_of(const toml::source_region& region) {
  return {static_cast<std::uint32_t>(region.begin.line),
          static_cast<std::uint32_t>(region.begin.column)};
}

// False when it is nested too deeply.
bool convert(const toml::node& node, TomlValue& value, int depth) {
  if (depth == 0) return false;
  value.place = place_of(node.source());
  if (const toml::table* const table = node.as_table()) {
    value.kind = TomlValue::Kind::table;
    for (const auto& [key, child] : *table) {
      TomlEntry& entry = value.entries.emplace_back();
      entry.key = key.str();
      entry.place = place_of(key.source());
      if (!convert(child, entry.value, depth - 1)) return false;
    }
    // toml++ has them in the order of their names.
    std::ranges::stable_sort(value.entries, {}, [](const TomlEntry& entry) {
      return std::pair(entry.place.line, entry.place.column);
    });
  } else if (const toml::array* const array = node.as_array()) {
    value.kind = TomlValue::Kind::list;
    for (const toml::node& child : *array) {
      if (!convert(child, value.list.emplace_back(), depth - 1)) return false;
    }
  } else if (const auto* const text = node.as_string()) {
    value.kind = TomlValue::Kind::text;
    value.text = text->get();
  } else if (const auto* const integer = node.as_integer()) {
    value.kind = TomlValue::Kind::integer;
    value.integer = integer->get();
  } else if (const auto* const number = node.as_floating_point()) {
    value.kind = TomlValue::Kind::number;
    value.number = number->get();
  } else if (const auto* const boolean = node.as_boolean()) {
    value.kind = TomlValue::Kind::boolean;
    value.boolean = boolean->get();
  } else {
    value.kind = TomlValue::Kind::time;
  }
  return true;
}

std::string_view name_of(TomlValue::Kind kind) {
  switch (kind) {
    case TomlValue::Kind::text:
      return "a text";
    case TomlValue::Kind::integer:
      return "a whole number";
    case TomlValue::Kind::number:
      return "a number";
    case TomlValue::Kind::boolean:
      return "true or false";
    case TomlValue::Kind::time:
      return "a date or time";
    case TomlValue::Kind::list:
      return "a list";
    case TomlValue::Kind::table:
      break;
  }
  return "a table";
}

// Where a key begins to name more tables in tables than kKeyPartsMax. Those that toml++ makes of it
// destroy each other one inside the other, and a million would not fit on a stack; of values in
// values it keeps count itself.
constexpr std::size_t kKeyPartsMax = 256;

std::optional<TomlPlace> key_that_is_too_deep(std::string_view text) {
  std::uint32_t line = 1;
  std::size_t line_begin = 0;
  std::size_t dots = 0;  // since anything that cannot be inside of a key
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      const std::string quote(text.substr(at, 3) == std::string(3, c) ? 3 : 1, c);
      std::size_t end = at + quote.size();
      while (end < text.size() && text.substr(end, quote.size()) != quote) {
        if (quote.size() == 1 && text[end] == '\n') break;  // not closed: toml++ will say so
        if (text[end] == '\n') ++line, line_begin = end + 1;
        end += c == '"' && text[end] == '\\' ? 2 : 1;
      }
      if (end >= text.size()) return std::nullopt;
      at = text[end] == '\n' ? end - 1 : end + quote.size() - 1;
    } else if (c == '#') {
      const std::size_t end = text.find('\n', at);
      if (end == std::string_view::npos) return std::nullopt;
      at = end - 1;
    } else if (c == '\n') {
      ++line;
      line_begin = at + 1;
      dots = 0;
    } else if (std::string_view("=,{}[]").find(c) != std::string_view::npos) {
      dots = 0;
    } else if (c == '.' && ++dots == kKeyPartsMax) {
      return TomlPlace{line, static_cast<std::uint32_t>(at - line_begin + 1)};
    }
  }
  return std::nullopt;
}

}  // namespace

const TomlEntry* TomlValue::find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &TomlEntry::key);
  return found == entries.end() ? nullptr : &*found;
}

Result<TomlFile> TomlFile::read(const Path& path) {
  const std::string text = NUR_TRY(in_context(read_file(path, kTomlBytesMax), path.string()));
  return parse(text, path);
}

Result<TomlFile> TomlFile::parse(std::string_view text, const Path& path) {
  TomlFile file(path, {});
  if (const std::optional<TomlPlace> place = key_that_is_too_deep(text)) {
    return std::unexpected(file.error_at(
        *place, fmt::format("no valid TOML: a key of more than {} parts", kKeyPartsMax)));
  }
  const toml::parse_result parsed = toml::parse(text, path.string());
  if (!parsed) {
    return std::unexpected(
        file.error_at(place_of(parsed.error().source()),
                      "no valid TOML: " + printable(parsed.error().description(), kNameBytesMax)));
  }
  if (!convert(parsed.table(), file.root_, kDepthMax)) {
    return std::unexpected(file.error_at({1, 1}, "no valid TOML: tables nested too deeply"));
  }
  return file;
}

Error TomlFile::error_at(TomlPlace place, std::string_view what) const {
  return {ErrorKind::invalid_input,
          fmt::format("{}:{}:{}: {}", path_.string(), place.line, place.column, what)};
}

Result<void> TomlFile::expect_keys(const TomlValue& table, std::span<const std::string_view> known,
                                   std::span<const Synonym> synonyms) const {
  for (const TomlEntry& entry : table.entries) {
    if (std::ranges::find(known, entry.key) != known.end()) continue;
    std::string what = fmt::format("unknown key `{}`", printable(entry.key, kNameBytesMax));
    if (const auto meant = did_you_mean(entry.key, known, synonyms)) {
      what += fmt::format("; did you mean `{}`?", *meant);
    } else {
      what += fmt::format("; known here: {}", fmt::join(known, ", "));
    }
    return std::unexpected(error_at(entry.place, what));
  }
  return {};
}

Error TomlFile::wrong_kind(std::string_view key, const TomlValue& value,
                           std::string_view wanted) const {
  return error_at(value.place, fmt::format("`{}` is {}, not {}", printable(key, kNameBytesMax),
                                           wanted, name_of(value.kind)));
}

Result<std::string> TomlFile::text(const TomlEntry& entry) const {
  if (entry.value.kind == TomlValue::Kind::text) return entry.value.text;
  return std::unexpected(wrong_kind(entry.key, entry.value, "a text"));
}

Result<bool> TomlFile::boolean(const TomlEntry& entry) const {
  if (entry.value.kind == TomlValue::Kind::boolean) return entry.value.boolean;
  return std::unexpected(wrong_kind(entry.key, entry.value, "true or false"));
}

Result<std::uint64_t> TomlFile::count(const TomlEntry& entry, std::uint64_t least,
                                      std::uint64_t most) const {
  if (entry.value.kind != TomlValue::Kind::integer) {
    return std::unexpected(wrong_kind(entry.key, entry.value, "a whole number"));
  }
  const std::int64_t value = entry.value.integer;
  if (value < 0 || static_cast<std::uint64_t>(value) < least ||
      static_cast<std::uint64_t>(value) > most) {
    return std::unexpected(error_at(entry.value.place, fmt::format("`{}` is from {} to {}, not {}",
                                                                   entry.key, least, most, value)));
  }
  return static_cast<std::uint64_t>(value);
}

Result<std::uint64_t> TomlFile::size(const TomlEntry& entry, std::uint64_t least,
                                     std::uint64_t most) const {
  if (entry.value.kind != TomlValue::Kind::text) {
    return std::unexpected(wrong_kind(entry.key, entry.value, "a size like \"64MiB\""));
  }
  const Result<std::uint64_t> size = parse_size(entry.value.text);
  if (!size) return std::unexpected(error_at(entry.value.place, size.error().message));
  if (*size < least || *size > most) {
    return std::unexpected(error_at(
        entry.value.place, fmt::format("`{}` is from {} to {}, not {}", entry.key,
                                       format_size(least), format_size(most), format_size(*size))));
  }
  return *size;
}

Result<Nanoseconds> TomlFile::duration(const TomlEntry& entry, Nanoseconds least,
                                       Nanoseconds most) const {
  if (entry.value.kind != TomlValue::Kind::text) {
    return std::unexpected(wrong_kind(entry.key, entry.value, "a duration like \"500ms\""));
  }
  const Result<Nanoseconds> duration = parse_duration(entry.value.text);
  if (!duration) return std::unexpected(error_at(entry.value.place, duration.error().message));
  if (*duration < least || *duration > most) {
    return std::unexpected(
        error_at(entry.value.place,
                 fmt::format("`{}` is from {} to {}, not {}", entry.key, format_duration(least),
                             format_duration(most), printable(entry.value.text, kNameBytesMax))));
  }
  return *duration;
}

Result<std::vector<std::string>> TomlFile::texts(const TomlEntry& entry) const {
  if (entry.value.kind != TomlValue::Kind::list) {
    return std::unexpected(wrong_kind(entry.key, entry.value, "a list of texts"));
  }
  std::vector<std::string> texts;
  for (const TomlValue& value : entry.value.list) {
    if (value.kind != TomlValue::Kind::text) {
      return std::unexpected(wrong_kind(entry.key, value, "a list of texts"));
    }
    texts.push_back(value.text);
  }
  return texts;
}

Result<const TomlValue*> TomlFile::table(const TomlEntry& entry) const {
  if (entry.value.kind == TomlValue::Kind::table) return &entry.value;
  return std::unexpected(wrong_kind(entry.key, entry.value, "a table"));
}

Result<std::vector<const TomlValue*>> TomlFile::tables(const TomlEntry& entry) const {
  if (entry.value.kind != TomlValue::Kind::list) {
    return std::unexpected(wrong_kind(entry.key, entry.value, "a list of tables"));
  }
  std::vector<const TomlValue*> tables;
  for (const TomlValue& value : entry.value.list) {
    if (value.kind != TomlValue::Kind::table) {
      return std::unexpected(wrong_kind(entry.key, value, "a list of tables"));
    }
    tables.push_back(&value);
  }
  return tables;
}

}  // namespace nur
