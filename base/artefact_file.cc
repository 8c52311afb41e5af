#include "base/artefact_file.h"

#include <cstring>
#include <gelf.h>

#include <openssl/evp.h>

#include "base/check.h"

namespace nur {
namespace {

constexpr std::string_view kSealMagic("nur-artefact-v1", 16);  // with its NUL
static_assert(kSealMagic.size() + sizeof(Sha256) == kSealBytes);

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
