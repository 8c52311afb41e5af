#include "base/profile.h"

#include <cstring>

#include "base/bytes.h"

namespace nur {
namespace {

constexpr std::string_view kSectionMagic("nur-counters-v1\0", 16);
constexpr std::string_view kFileMagic("nur-profile-v1\0\0", 16);

template <class T>
void append(std::string& out, T value) {
  // x86-64 is little-endian, as the format is.
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_text(std::string& out, std::string_view text) {
  append(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

std::unexpected<Error> malformed() {
  return fail(ErrorKind::invalid_input, "the table of counters is malformed");
}

// Reads what append wrote; a value that is not there makes everything behind it absent, too.
class TableReader {
 public:
  explicit TableReader(std::string_view bytes) : reader_(bytes) {}

  template <class T>
  T number() {
    const std::optional<T> value = reader_.little_endian<T>();
    whole_ = whole_ && value.has_value();
    return value.value_or(0);
  }

  std::string_view bytes(std::size_t count) {
    const std::optional<std::string_view> taken = reader_.take(count);
    whole_ = whole_ && taken.has_value();
    return taken.value_or(std::string_view());
  }

  std::string text() { return std::string(bytes(number<std::uint32_t>())); }

  // How many records of at least `bytes_min` follow; none where there is no room for them.
  std::uint32_t count(std::size_t bytes_min) {
    const auto records = number<std::uint32_t>();
    if (records > reader_.remaining() / bytes_min) whole_ = false;
    return whole_ ? records : 0;
  }

  [[nodiscard]] bool whole() const { return whole_; }
  [[nodiscard]] bool at_end() const { return whole_ && reader_.at_end(); }

 private:
  ByteReader reader_;
  bool whole_ = true;
};

constexpr std::size_t kFunctionBytes = 20;
constexpr std::size_t kUnitBytesMin = 4 + sizeof(Sha256) + 12;

ProfiledUnit read_unit(TableReader& reader) {
  ProfiledUnit unit;
  unit.source = reader.text();
  const std::string_view digest = reader.bytes(unit.digest.size());
  if (!reader.whole()) return unit;
  std::memcpy(unit.digest.data(), digest.data(), digest.size());
  unit.format = reader.number<std::uint32_t>();
  unit.checksum = reader.number<std::uint32_t>();
  const std::uint32_t count = reader.count(kFunctionBytes);
  unit.functions.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    ProfiledFunction function;
    function.ident = reader.number<std::uint32_t>();
    function.line_checksum = reader.number<std::uint32_t>();
    function.cfg_checksum = reader.number<std::uint32_t>();
    function.counters = reader.number<std::uint32_t>();
    function.first_counter = reader.number<std::uint32_t>();
    unit.functions.push_back(function);
  }
  return unit;
}

Result<ProfileTable> read_table(std::string_view section) {
  ProfileTable table;
  table.region = NUR_TRY(counter_region(section));
  TableReader reader(section.substr(kSectionMagic.size() + 16));
  table.wasm_sha256 = reader.text();
  table.compiler = reader.text();
  table.flags = reader.text();
  const std::uint32_t count = reader.count(kUnitBytesMin);
  for (std::uint32_t i = 0; i < count && reader.whole(); ++i) {
    table.units.push_back(read_unit(reader));
  }
  if (!reader.at_end()) return malformed();

  const std::uint64_t counters = table.region.bytes / sizeof(std::uint64_t);
  for (const ProfiledUnit& unit : table.units) {
    for (const ProfiledFunction& function : unit.functions) {
      if (std::uint64_t{function.first_counter} + function.counters > counters) return malformed();
    }
  }
  return table;
}

}  // namespace

std::string encode_profile_table(const ProfileTable& table) {
  std::string out(kSectionMagic);
  append(out, table.region.address);
  append(out, table.region.bytes);
  append_text(out, table.wasm_sha256);
  append_text(out, table.compiler);
  append_text(out, table.flags);
  append(out, static_cast<std::uint32_t>(table.units.size()));
  for (const ProfiledUnit& unit : table.units) {
    append_text(out, unit.source);
    out.append(reinterpret_cast<const char*>(unit.digest.data()), unit.digest.size());
    append(out, unit.format);
    append(out, unit.checksum);
    append(out, static_cast<std::uint32_t>(unit.functions.size()));
    for (const ProfiledFunction& function : unit.functions) {
      append(out, function.ident);
      append(out, function.line_checksum);
      append(out, function.cfg_checksum);
      append(out, function.counters);
      append(out, function.first_counter);
    }
  }
  return out;
}

Result<CounterRegion> counter_region(std::string_view section) {
  if (!section.starts_with(kSectionMagic)) return malformed();
  TableReader reader(section.substr(kSectionMagic.size()));
  CounterRegion region;
  region.address = reader.number<std::uint64_t>();
  region.bytes = reader.number<std::uint64_t>();
  if (!reader.whole() || region.bytes > kCounterBytesMax ||
      region.address % sizeof(std::uint64_t) != 0 || region.bytes % sizeof(std::uint64_t) != 0) {
    return malformed();
  }
  return region;
}

std::string encode_profile(std::string_view section, std::string_view counters) {
  std::string out(kFileMagic);
  append(out, std::uint64_t{section.size()});
  out += section;
  out += counters;
  const Sha256 digest = sha256(out);
  out.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  return out;
}

Result<Profile> read_profile(std::string_view file) {
  if (!file.starts_with(kFileMagic)) {
    return fail(ErrorKind::invalid_input, "not a profile that nurhost --profile wrote");
  }
  const auto damaged = [] {
    return fail(ErrorKind::invalid_input,
                "the profile is damaged: cut short, or changed since "
                "nurhost wrote it; make it again");
  };
  Sha256 digest{};
  if (file.size() < kFileMagic.size() + sizeof(std::uint64_t) + digest.size()) return damaged();
  const std::string_view hashed = file.substr(0, file.size() - digest.size());
  std::memcpy(digest.data(), file.substr(hashed.size()).data(), digest.size());
  if (sha256(hashed) != digest) return damaged();

  ByteReader reader(hashed.substr(kFileMagic.size()));
  const auto section_bytes = reader.little_endian<std::uint64_t>();
  const auto section = reader.take(section_bytes.value_or(0));
  if (!section) return malformed();
  Profile profile;
  profile.table = NUR_TRY(read_table(*section));
  const auto counters = reader.take(profile.table.region.bytes);
  if (!counters || !reader.at_end()) return malformed();
  profile.counters.resize(counters->size() / sizeof(std::uint64_t));
  if (!counters->empty()) std::memcpy(profile.counters.data(), counters->data(), counters->size());
  return profile;
}

}  // namespace nur
