#include "compiler/profile.h"

#include <algorithm>
#include <cstring>
#include <gelf.h>
#include <libelf.h>
#include <limits>
#include <map>
#include <memory>
#include <optional>

namespace nur {
namespace {

constexpr std::size_t kSourceBytesMax = std::size_t{1} << 30;
constexpr unsigned kOldestGcc = 12;

std::unexpected<Error> unknown_records(std::string_view what) {
  return fail(ErrorKind::internal, "the counters of this compiler are not understood: {}", what);
}

struct ElfCloser {
  void operator()(Elf* elf) const { elf_end(elf); }
};

// An object's memory as the dynamic loader makes it, at load base 0.
class LinkedImage {
 public:
  static Result<LinkedImage> read(std::string_view bytes) {
    LinkedImage image(bytes);
    elf_version(EV_CURRENT);
    std::string copy(bytes);  // elf_memory wants memory it could write
    const std::unique_ptr<Elf, ElfCloser> elf(elf_memory(copy.data(), copy.size()));
    std::size_t names = 0;
    if (!elf || elf_getshdrstrndx(elf.get(), &names) != 0) {
      return fail(ErrorKind::internal, "reading the linked object: {}", elf_errmsg(-1));
    }
    for (Elf_Scn* section = elf_nextscn(elf.get(), nullptr); section != nullptr;
         section = elf_nextscn(elf.get(), section)) {
      GElf_Shdr header;
      if (gelf_getshdr(section, &header) == nullptr) continue;
      const char* const name = elf_strptr(elf.get(), names, header.sh_name);
      if (name != nullptr && std::strcmp(name, kGcovSection) == 0) image.list_ = header;
      if (header.sh_type == SHT_RELA) image.add_relocations(elf_getdata(section, nullptr));
      const bool in_file = header.sh_type != SHT_NOBITS && header.sh_offset <= bytes.size() &&
                           header.sh_size <= bytes.size() - header.sh_offset;
      if ((header.sh_flags & SHF_ALLOC) != 0 && in_file) image.sections_.push_back(header);
    }
    return image;
  }

  // The list that gcc leaves, as addresses of its entries.
  [[nodiscard]] std::uint64_t list_begin() const { return list_.sh_addr; }
  [[nodiscard]] std::uint64_t list_end() const { return list_.sh_addr + list_.sh_size; }

  [[nodiscard]] std::optional<std::uint64_t> pointer_at(std::uint64_t address) const {
    const auto found = pointers_.find(address);
    return found == pointers_.end() ? std::nullopt : std::optional(found->second);
  }

  [[nodiscard]] std::optional<std::uint32_t> number_at(std::uint64_t address) const {
    const std::optional<std::string_view> bytes = bytes_at(address, sizeof(std::uint32_t));
    if (!bytes) return std::nullopt;
    std::uint32_t number = 0;
    std::memcpy(&number, bytes->data(), sizeof number);
    return number;
  }

  [[nodiscard]] std::optional<std::string> text_at(std::uint64_t address) const {
    std::string text;
    while (true) {
      const std::optional<std::string_view> byte = bytes_at(address + text.size(), 1);
      if (!byte || text.size() > 4096) return std::nullopt;
      if (byte->front() == '\0') return text;
      text += byte->front();
    }
  }

 private:
  explicit LinkedImage(std::string_view bytes) : bytes_(bytes) {}

  void add_relocations(Elf_Data* data) {
    if (data == nullptr || data->d_type != ELF_T_RELA) return;
    GElf_Rela relocation;
    for (int i = 0; gelf_getrela(data, i, &relocation) != nullptr; ++i) {
      if (GELF_R_TYPE(relocation.r_info) != R_X86_64_RELATIVE) continue;
      pointers_.emplace(relocation.r_offset, static_cast<std::uint64_t>(relocation.r_addend));
    }
  }

  [[nodiscard]] std::optional<std::string_view> bytes_at(std::uint64_t address,
                                                         std::uint64_t bytes) const {
    for (const GElf_Shdr& section : sections_) {
      if (address < section.sh_addr || address - section.sh_addr > section.sh_size) continue;
      const std::uint64_t at = address - section.sh_addr;
      if (bytes <= section.sh_size - at) return bytes_.substr(section.sh_offset + at, bytes);
    }
    return std::nullopt;
  }

  std::string_view bytes_;
  GElf_Shdr list_{};
  std::vector<GElf_Shdr> sections_;
  std::map<std::uint64_t, std::uint64_t> pointers_;
};

// "B22*" is 12.2: 'A' and tens, units, minor digit, status; as a number with B highest.
unsigned gcc_major(std::uint32_t format) {
  const unsigned tens = (format >> 24) - 'A';
  const unsigned units = ((format >> 16) & 0xff) - '0';
  return tens > 25 || units > 9 ? 0 : tens * 10 + units;
}

struct RawFunction {
  ProfiledFunction function;
  std::uint64_t address = 0;  // of its counters
};

struct RawUnit {
  ProfiledUnit unit;
  std::vector<RawFunction> functions;
};

// struct gcov_fn_info (gcc/libgcc/libgcov.h): u64 key | u32 ident, line, cfg, - | then for each
// kind of counter u32 count, - | u64 values. Only arcs are counted, so there is one kind.
Result<RawFunction> read_function(const LinkedImage& image, std::uint64_t at) {
  RawFunction raw;
  const auto ident = image.number_at(at + 8);
  const auto line = image.number_at(at + 12);
  const auto cfg = image.number_at(at + 16);
  const auto count = image.number_at(at + 24);
  const auto values = image.pointer_at(at + 32);
  if (!ident || !line || !cfg || !count || !values) return unknown_records("of a function");
  raw.function = {*ident, *line, *cfg, *count, 0};
  raw.address = *values;
  return raw;
}

// struct gcov_info: u32 format, - | u64 next | u32 stamp, checksum | u64 file name | u64 merge
// functions, of which the first alone is set and whose number differs between versions | u32 count
// | u64 functions. The count is the first number behind the first merge function.
Result<RawUnit> read_unit(const LinkedImage& image, std::uint64_t at) {
  constexpr int kKindsMax = 32;
  RawUnit raw;
  const auto format = image.number_at(at);
  const auto checksum = image.number_at(at + 20);
  const auto name = image.pointer_at(at + 24);
  if (!format || !checksum || !name || !image.pointer_at(at + 32)) {
    return unknown_records("of a unit");
  }
  if (gcc_major(*format) < kOldestGcc) {
    return fail(ErrorKind::invalid_input, "--profile-generate needs g++ {} or newer", kOldestGcc);
  }
  raw.unit.format = *format;
  raw.unit.checksum = *checksum;
  const auto file = image.text_at(*name);
  const std::string_view folder = kGcovFolder;
  if (!file || !file->starts_with(folder)) return unknown_records("of a unit's name");
  raw.unit.source = Path(file->substr(folder.size())).replace_extension(".c").string();

  std::uint64_t place = at + 40;
  for (int kind = 1; kind < kKindsMax && image.number_at(place) == 0U; ++kind) place += 8;
  const std::uint32_t count = image.number_at(place).value_or(0);
  const auto functions = image.pointer_at(place + 8);
  if (count == 0 || !functions) return unknown_records("of a unit's functions");
  for (std::uint32_t i = 0; i < count; ++i) {
    // Null for one that was left out of the object.
    const auto function = image.pointer_at(*functions + std::uint64_t{i} * 8);
    if (function) raw.functions.push_back(NUR_TRY(read_function(image, *function)));
  }
  return raw;
}

void append(std::string& out, std::uint32_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_counter(std::string& out, std::uint64_t value) {
  append(out, static_cast<std::uint32_t>(value));
  append(out, static_cast<std::uint32_t>(value >> 32));
}

// gcc/gcov-io.h, of gcc 12 and newer, where a record's length is in bytes.
std::string gcda_bytes(const ProfiledUnit& unit, const Profile& profile, std::uint64_t largest) {
  constexpr std::uint32_t kMagic = 0x67636461;  // "gcda"
  constexpr std::uint32_t kSummary = 0xa1000000;
  constexpr std::uint32_t kFunction = 0x01000000;
  constexpr std::uint32_t kArcCounters = 0x01a10000;
  std::string out;
  append(out, kMagic);
  append(out, unit.format);
  append(out, 0xffffffff);  // stamp; -fprofile-use takes any
  append(out, unit.checksum);
  append(out, kSummary);
  append(out, 8);
  append(out, 1);  // runs
  append(out, static_cast<std::uint32_t>(
                  std::min<std::uint64_t>(largest, std::numeric_limits<std::int32_t>::max())));
  for (const ProfiledFunction& function : unit.functions) {
    append(out, kFunction);
    append(out, 12);
    append(out, function.ident);
    append(out, function.line_checksum);
    append(out, function.cfg_checksum);
    append(out, kArcCounters);
    append(out, function.counters * 8);
    for (std::uint32_t i = 0; i < function.counters; ++i) {
      append_counter(out, profile.counters[function.first_counter + i]);
    }
  }
  append(out, 0);
  return out;
}

Result<void> check_fits(const ProfileTable& table, const ProfileIdentity& identity) {
  const auto refuse = [](std::string_view what, std::string_view theirs, std::string_view ours) {
    return fail(ErrorKind::invalid_input,
                "the profile is of {} {}, this is {}; compile with --profile-generate and run it "
                "again",
                what, theirs, ours);
  };
  if (table.wasm_sha256 != identity.wasm_sha256) {
    return refuse("another module, sha256", table.wasm_sha256, identity.wasm_sha256);
  }
  if (table.compiler != identity.compiler) {
    return refuse("another compiler,", table.compiler, identity.compiler);
  }
  if (table.flags != identity.flags) {
    return refuse("other options,", table.flags, identity.flags);
  }
  return {};
}

std::uint64_t sum(std::uint64_t a, std::uint64_t b) {
  // gcc takes counters for signed.
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  return a > kMost || b > kMost - a ? kMost : a + b;
}

}  // namespace

std::vector<std::string> profile_flags(ProfileMode mode) {
  // Functions by their order: by default their numbers depend on what -dumpdir says, too.
  constexpr char kNumbered[] = "--param=profile-func-internal-id=1";
  switch (mode) {
    case ProfileMode::none:
      return {};
    case ProfileMode::generate:
      return {
          "-fprofile-arcs",
          "-fprofile-update=single",  // one thread runs guests
          fmt::format("-fprofile-info-section={}", kGcovSection),
          "-fno-profile-values",  // its functions are libgcov's
          "-finline-functions",   // as -fprofile-use does, so that both see the same code
          "-fno-tree-loop-im",    // a counter that waits in a register is lost with a trap
          "-dumpdir",             // no name of the scratch folder in the object
          kGcovFolder,
          kNumbered,
      };
    case ProfileMode::use:
      // What is hot is known, so more of it may be unrolled than elsewhere (c_flags.cc).
      return {"-fprofile-use", "-fno-profile-values", "--param=max-unroll-times=8", kNumbered};
  }
  return {};
}

std::string gcda_of(const std::string& source) {
  return Path(source).replace_extension(".gcda").string();
}

Result<ProfileTable> profile_table(std::string_view linked, const ProfileIdentity& identity,
                                   const CSources& sources) {
  const LinkedImage image = NUR_TRY(LinkedImage::read(linked));
  std::vector<RawUnit> raw;
  std::uint64_t begin = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t end = 0;
  for (std::uint64_t at = image.list_begin(); at < image.list_end(); at += 8) {
    const auto unit = image.pointer_at(at);
    if (!unit) return unknown_records("in the list of units");
    raw.push_back(NUR_TRY(read_unit(image, *unit)));
    for (const RawFunction& function : raw.back().functions) {
      begin = std::min(begin, function.address);
      end = std::max(end, function.address + std::uint64_t{function.function.counters} * 8);
    }
  }
  ProfileTable table;
  table.wasm_sha256 = identity.wasm_sha256;
  table.compiler = identity.compiler;
  table.flags = identity.flags;
  if (begin < end) table.region = {begin, end - begin};
  if (table.region.address % 8 != 0) return unknown_records("at an odd address");
  if (table.region.bytes > kCounterBytesMax) {
    return fail(ErrorKind::limit_exceeded, "--profile-generate: {} bytes of counters, at most {}",
                table.region.bytes, kCounterBytesMax);
  }
  for (RawUnit& from : raw) {
    const auto known = std::ranges::find(sources.units, from.unit.source, &SourceUnit::source);
    if (known == sources.units.end()) return unknown_records("of a unit of another name");
    const std::string text = NUR_TRY(read_file(sources.folder / from.unit.source, kSourceBytesMax));
    from.unit.digest = sha256(text);
    for (RawFunction& function : from.functions) {
      function.function.first_counter = static_cast<std::uint32_t>((function.address - begin) / 8);
      from.unit.functions.push_back(function.function);
    }
    table.units.push_back(std::move(from.unit));
  }
  return table;
}

Result<Profile> read_profiles(const std::vector<Path>& files, const ProfileIdentity& identity) {
  std::optional<Profile> merged;
  for (const Path& file : files) {
    const auto read = [&]() -> Result<void> {
      const std::string bytes = NUR_TRY(read_file(file, kProfileBytesMax));
      Profile profile = NUR_TRY(read_profile(bytes));
      NUR_TRY(check_fits(profile.table, identity));
      if (!merged) {
        merged = std::move(profile);
        return {};
      }
      if (profile.table.units != merged->table.units) {
        return fail(ErrorKind::invalid_input, "made by another nurc than {}; make both again",
                    files.front().string());
      }
      std::ranges::transform(merged->counters, profile.counters, merged->counters.begin(), sum);
      return {};
    };
    NUR_TRY(in_context(read(), file.string()));
  }
  return *std::move(merged);
}

std::string digest_of(const Profile& profile) {
  const std::string_view counters(reinterpret_cast<const char*>(profile.counters.data()),
                                  profile.counters.size() * sizeof(std::uint64_t));
  return to_hex(sha256(encode_profile(encode_profile_table(profile.table), counters)));
}

Result<void> write_gcda_files(const Profile& profile, const CSources& sources) {
  std::uint64_t largest = 0;
  for (const std::uint64_t counter : profile.counters) largest = std::max(largest, counter);
  for (const ProfiledUnit& unit : profile.table.units) {
    const auto known = std::ranges::find(sources.units, unit.source, &SourceUnit::source);
    const auto other = [] {
      return fail(ErrorKind::invalid_input,
                  "the profile was made with another nurc, whose code for this module differs; "
                  "compile with --profile-generate and run it again");
    };
    if (known == sources.units.end()) return other();
    const std::string text = NUR_TRY(read_file(sources.folder / unit.source, kSourceBytesMax));
    if (sha256(text) != unit.digest) return other();
    NUR_TRY(write_file(sources.folder / gcda_of(unit.source), gcda_bytes(unit, profile, largest)));
  }
  return {};
}

}  // namespace nur
