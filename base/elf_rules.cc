#include "base/elf_rules.h"

#include <algorithm>
#include <array>
#include <elf.h>
#include <optional>

#include "base/artefact_file.h"
#include "base/bytes.h"
#include "base/elf_dynamic.h"
#include "base/elf_segments.h"
#include "base/log.h"
#include "nur/abi.h"

namespace nur {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, 21> kRuleNames{
    "digest",           "elf_header",  "program_headers",   "segments_in_file", "writable_code",
    "executable_stack", "interpreter", "thread_local_data", "needed",           "constructors",
    "text_relocations", "dynamic_tag", "dynamic_tables",    "relocation",       "undefined_symbol",
    "exported_symbol",  "ifunc",       "unique_symbol",     "manifest",         "abi_version",
    "target_cpu",
};
static_assert(kRuleNames.size() == static_cast<std::size_t>(ElfRule::target_cpu) + 1);

struct Note {
  std::string_view owner;  // without its NUL
  std::uint32_t type = 0;
  std::string_view contents;
};

// Takes what lies between here and the next multiple of `alignment`.
bool skip_padding(ByteReader& reader, std::uint64_t alignment) {
  const std::uint64_t past = reader.offset() % alignment;
  return past == 0 || reader.at_end() || reader.take(alignment - past).has_value();
}

// The next note (gABI, "Note Section"); nothing when it is cut short.
std::optional<Note> next_note(ByteReader& reader, std::uint64_t alignment) {
  const auto owner_bytes = reader.little_endian<std::uint32_t>();
  const auto content_bytes = reader.little_endian<std::uint32_t>();
  const auto type = reader.little_endian<std::uint32_t>();
  if (!owner_bytes || !content_bytes || !type) return std::nullopt;
  const auto owner = reader.take(*owner_bytes);
  if (!owner || owner->empty() || owner->back() != '\0' || !skip_padding(reader, alignment)) {
    return std::nullopt;
  }
  const auto contents = reader.take(*content_bytes);
  if (!contents || !skip_padding(reader, alignment)) return std::nullopt;
  return Note{owner->substr(0, owner->size() - 1), *type, *contents};
}

// The loader reads x86 feature properties as pairs of type and size, and trusts the sizes.
bool has_whole_properties(std::string_view contents) {
  ByteReader reader(contents);
  while (!reader.at_end()) {
    const auto type = reader.little_endian<std::uint32_t>();
    const auto bytes = reader.little_endian<std::uint32_t>();
    if (!type || !bytes || !reader.take(*bytes) || !skip_padding(reader, sizeof(std::uint64_t))) {
      return false;
    }
  }
  return true;
}

std::expected<std::string_view, ElfRefusal> find_manifest(const ElfSegments& segments) {
  std::optional<std::string_view> manifest;
  for (const ElfSegment& segment : segments.all()) {
    if (segment.type != PT_NOTE && segment.type != PT_GNU_PROPERTY) continue;
    if (segment.alignment != 4 && segment.alignment != 8) {
      return refuse(ElfRule::manifest, "notes at {:#x} are aligned to {}", segment.address,
                    segment.alignment);
    }
    ByteReader reader(*segments.bytes_at(segment.address, segment.memory_bytes));
    while (!reader.at_end()) {
      const std::optional<Note> note = next_note(reader, segment.alignment);
      const bool property =
          note && note->owner == ELF_NOTE_GNU && note->type == NT_GNU_PROPERTY_TYPE_0;
      if (!note || (property && !has_whole_properties(note->contents))) {
        return refuse(ElfRule::manifest, "a malformed note in the segment at {:#x}",
                      segment.address);
      }
      if (note->owner != kManifestNoteName || note->type != kManifestNoteType) continue;
      if (manifest) return refuse(ElfRule::manifest, "there are two manifests");
      manifest = note->contents;
    }
  }
  if (!manifest) return refuse(ElfRule::manifest, "no manifest; compile the module with nurc");
  return *manifest;
}

std::expected<Manifest, ElfRefusal> check_manifest(std::string_view json, CpuLevel cpu) {
  Result<Manifest> manifest = manifest_from_json(json);
  // What another version writes may be unreadable to us for that reason alone.
  const Result<std::uint32_t> version =
      manifest ? manifest->abi_version : abi_version_from_json(json);
  if (version && *version != NUR_ABI_VERSION) {
    return refuse(ElfRule::abi_version, "abi version {}, this host speaks {}; compile it again",
                  *version, NUR_ABI_VERSION);
  }
  if (!manifest) return refuse(ElfRule::manifest, "{}", printable(manifest.error().message));
  if (manifest->target_cpu > cpu) {
    return refuse(ElfRule::target_cpu, "compiled for {}, this machine has {}",
                  to_string(manifest->target_cpu), to_string(cpu));
  }
  return *std::move(manifest);
}

}  // namespace

std::string_view to_string(ElfRule rule) { return kRuleNames[static_cast<std::size_t>(rule)]; }

std::expected<VerifiedElf, ElfRefusal> verify_elf(std::string_view file, CpuLevel cpu) {
  const Result<std::string_view> elf = unseal(file);
  if (!elf) return refuse(ElfRule::digest, "{}", elf.error().message);
  const ElfSegments segments = NUR_TRY(ElfSegments::check(*elf));
  // From here on each segment is where the program headers say, in the file and in memory.

  VerifiedElf verified;
  const std::string_view json = NUR_TRY(find_manifest(segments));
  verified.manifest = NUR_TRY(check_manifest(json, cpu));
  verified.manifest_offset = static_cast<std::uint64_t>(json.data() - file.data());
  verified.manifest_bytes = json.size();
  NUR_TRY(check_dynamic(segments));
  verified.text_begin = segments.text().address;
  verified.text_end = segments.text().memory_end();
  for (const ElfSegment& segment : segments.all()) {
    if (segment.type == PT_LOAD) {
      verified.load_end = std::max(verified.load_end, segment.memory_end());
    }
  }
  return verified;
}

}  // namespace nur
