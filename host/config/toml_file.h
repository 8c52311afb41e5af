// A TOML file as a tree in which every key and value knows where it stands, so that whatever is
// wrong with it is told as "nur.toml:3:5: unknown key `timout`; did you mean `timeout`?".
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "host/config/suggestion.h"

namespace nur {

struct TomlPlace {
  std::uint32_t line = 0;  // from 1 on
  std::uint32_t column = 0;
};

struct TomlEntry;

struct TomlValue {
  enum class Kind : std::uint8_t { text, integer, number, boolean, time, list, table };
  Kind kind = Kind::table;
  TomlPlace place;
  std::string text;
  std::int64_t integer = 0;
  double number = 0;
  bool boolean = false;
  std::vector<TomlValue> list;
  std::vector<TomlEntry> entries;  // of a table, in the order of the file

  // nullptr when there is no such key, or this is no table.
  [[nodiscard]] const TomlEntry* find(std::string_view key) const;
};

struct TomlEntry {
  std::string key;
  TomlPlace place;
  TomlValue value;
};

// Largest file that is read.
inline constexpr std::size_t kTomlBytesMax = std::size_t{1} << 20;

class TomlFile {
 public:
  // Errors: those of read_file; invalid_input, with the place, for what is no TOML.
  static Result<TomlFile> read(const Path& path);
  static Result<TomlFile> parse(std::string_view text, const Path& path);

  [[nodiscard]] const Path& path() const { return path_; }
  [[nodiscard]] const TomlValue& root() const { return root_; }

  // invalid_input: "PATH:LINE:COLUMN: what".
  [[nodiscard]] Error error_at(TomlPlace place, std::string_view what) const;

  // Errors: invalid_input for the first key of `table` that is not `known`.
  [[nodiscard]] Result<void> expect_keys(const TomlValue& table,
                                         std::span<const std::string_view> known,
                                         std::span<const Synonym> synonyms = {}) const;

  // What `entry` says, which must be of that kind and in that range. Errors: invalid_input.
  [[nodiscard]] Result<std::string> text(const TomlEntry& entry) const;
  [[nodiscard]] Result<bool> boolean(const TomlEntry& entry) const;
  [[nodiscard]] Result<std::uint64_t> count(const TomlEntry& entry, std::uint64_t least,
                                            std::uint64_t most) const;
  // "64MiB".
  [[nodiscard]] Result<std::uint64_t> size(const TomlEntry& entry, std::uint64_t least,
                                           std::uint64_t most) const;
  // "500ms".
  [[nodiscard]] Result<Nanoseconds> duration(const TomlEntry& entry, Nanoseconds least,
                                             Nanoseconds most) const;
  [[nodiscard]] Result<std::vector<std::string>> texts(const TomlEntry& entry) const;
  [[nodiscard]] Result<const TomlValue*> table(const TomlEntry& entry) const;
  // Of tables: `[[entry]]`, or a list of inline tables.
  [[nodiscard]] Result<std::vector<const TomlValue*>> tables(const TomlEntry& entry) const;

 private:
  TomlFile(Path path, TomlValue root) : path_(std::move(path)), root_(std::move(root)) {}

  [[nodiscard]] Error wrong_kind(std::string_view key, const TomlValue& value,
                                 std::string_view wanted) const;

  Path path_;
  TomlValue root_;
};

}  // namespace nur
