#include "base/artefact_file.h"

#include <algorithm>
#include <cstring>
#include <gelf.h>
#include <limits>

#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/check.h"

namespace nur {
namespace {

constexpr std::string_view kSealMagic("nur-artefact-v1", 16);  // with its NUL
static_assert(kSealMagic.size() + sizeof(Sha256) == kSealBytes);

constexpr std::string_view kFunctionsMagic("nurf", 4);
constexpr std::uint32_t kFunctionsVersion = 1;
constexpr std::size_t kFunctionsHeaderBytes = 16;
constexpr std::size_t kFunctionEntryBytes = 20;

template <class T>
void append(std::string& out, T value) {
  // x86-64 is little-endian, as the format is.
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// With more sections than a 16-bit count says, libelf sizes its tables by a number in the file that
// only the file's length bounds; no artefact has that many.
bool has_plain_section_table(std::string_view elf) {
  Elf64_Ehdr header;
  if (elf.size() < sizeof header) return false;
  std::memcpy(&header, elf.data(), sizeof header);
  return header.e_shnum != 0 && header.e_shnum < SHN_LORESERVE &&
         header.e_shentsize == sizeof(Elf64_Shdr) && header.e_shoff <= elf.size() &&
         header.e_shnum <= (elf.size() - header.e_shoff) / sizeof(Elf64_Shdr);
}

}  // namespace

Sha256 sha256(std::string_view bytes) {
  Sha256 digest;
  unsigned length = 0;
  const int done =
      ::EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, ::EVP_sha256(), nullptr);
  NUR_CHECK(done == 1 && length == digest.size());
  return digest;
}

std::string to_hex(const Sha256& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(digest.size() * 2);
  for (const std::uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0xf];
  }
  return text;
}

std::string seal(std::string elf) {
  const Sha256 digest = sha256(elf);
  elf += kSealMagic;
  elf.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  return elf;
}

Result<std::string_view> unseal(std::string_view file) {
  if (file.size() < kSealBytes) {
    return fail(ErrorKind::invalid_input, "{} bytes are too few for an artefact", file.size());
  }
  const std::string_view elf = file.substr(0, file.size() - kSealBytes);
  const std::string_view found = file.substr(elf.size());
  if (!found.starts_with(kSealMagic)) {
    return fail(ErrorKind::invalid_input,
                "no seal at the end: not an artefact, or cut short; compile it again with nurc");
  }
  const Sha256 digest = sha256(elf);
  if (std::memcmp(found.data() + kSealMagic.size(), digest.data(), digest.size()) != 0) {
    return fail(ErrorKind::invalid_input,
                "the seal is of other bytes: changed since nurc wrote it; compile it again");
  }
  return elf;
}

std::string encode_function_ranges(const std::vector<FunctionRange>& ranges) {
  std::vector<FunctionRange> sorted = ranges;
  std::ranges::stable_sort(sorted, {}, &FunctionRange::address);

  std::string names;
  std::string out(kFunctionsMagic);
  append(out, kFunctionsVersion);
  append(out, static_cast<std::uint32_t>(sorted.size()));
  std::string entries;
  for (const FunctionRange& range : sorted) {
    append(entries, range.address);
    NUR_CHECK(range.bytes <= std::numeric_limits<std::uint32_t>::max());
    append(entries, static_cast<std::uint32_t>(range.bytes));
    append(entries, range.wasm_index);
    append(entries, static_cast<std::uint32_t>(range.name.size()));
    names += range.name;
  }
  NUR_CHECK(names.size() <= kArtefactBytesMax);
  append(out, static_cast<std::uint32_t>(names.size()));
  return out + entries + names;
}

Result<std::vector<FunctionRange>> decode_function_ranges(std::string_view section) {
  const auto malformed = [](std::string_view what) {
    return fail(ErrorKind::invalid_input, "{}: {}", kFunctionsSection, what);
  };
  if (section.size() < kFunctionsHeaderBytes) return malformed("too short for its header");
  ByteReader reader(section);
  if (reader.take(kFunctionsMagic.size()) != kFunctionsMagic) return malformed("wrong magic");
  if (reader.little_endian<std::uint32_t>() != kFunctionsVersion) {
    return malformed("a version this program does not know");
  }
  const std::uint32_t count = *reader.little_endian<std::uint32_t>();
  const std::uint32_t names_bytes = *reader.little_endian<std::uint32_t>();
  if (reader.remaining() != std::uint64_t{count} * kFunctionEntryBytes + names_bytes) {
    return malformed("its length is not what its header says");
  }
  std::string_view names = section.substr(section.size() - names_bytes);
  // From here on every entry can be read; only its values may be wrong.

  std::vector<FunctionRange> ranges;
  ranges.reserve(count);
  std::uint64_t end_before = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    FunctionRange range;
    range.address = *reader.little_endian<std::uint64_t>();
    range.bytes = *reader.little_endian<std::uint32_t>();
    range.wasm_index = *reader.little_endian<std::uint32_t>();
    const std::uint32_t name_bytes = *reader.little_endian<std::uint32_t>();
    if (name_bytes > names.size()) return malformed("a name outside the table of names");
    if (range.address < end_before ||
        range.address > std::numeric_limits<std::uint64_t>::max() - range.bytes) {
      return malformed("functions that overlap or are not in order");
    }
    end_before = range.address + range.bytes;
    range.name = names.substr(0, name_bytes);
    names.remove_prefix(name_bytes);
    ranges.push_back(std::move(range));
  }
  if (!names.empty()) return malformed("names that belong to no function");
  return ranges;
}

std::string_view find_section(std::string_view elf, const char* name) {
  if (::elf_version(EV_CURRENT) == EV_NONE || !has_plain_section_table(elf)) return {};
  // elf_memory reads only, whatever its parameter's type says.
  Elf* const file = ::elf_memory(const_cast<char*>(elf.data()), elf.size());
  if (file == nullptr) return {};

  std::string_view contents;
  std::size_t names = 0;
  if (::gelf_getclass(file) == ELFCLASS64 && ::elf_getshdrstrndx(file, &names) == 0) {
    for (Elf_Scn* section = ::elf_nextscn(file, nullptr); section != nullptr;
         section = ::elf_nextscn(file, section)) {
      GElf_Shdr header;
      if (::gelf_getshdr(section, &header) == nullptr) continue;
      const char* const section_name = ::elf_strptr(file, names, header.sh_name);
      if (section_name == nullptr || std::strcmp(section_name, name) != 0) continue;
      if (header.sh_type != SHT_NOBITS && header.sh_offset <= elf.size() &&
          header.sh_size <= elf.size() - header.sh_offset) {
        contents = elf.substr(header.sh_offset, header.sh_size);
      }
      break;
    }
  }
  ::elf_end(file);
  return contents;
}

}  // namespace nur
