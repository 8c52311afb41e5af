// The artefact as bytes: an ELF shared object, then a 48-byte seal (docs/artefact.md).
//
//   [ ELF ... | "nur-artefact-v1" NUL | SHA-256 of everything before the seal ]
//
// The seal is looked at before any parser sees the file: a file that was cut, changed or never
// finished is refused without interpreting a byte of it. It is no signature: whoever can write the
// file can seal it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nur {

inline constexpr std::size_t kSealBytes = 48;
// Largest artefact that is read at all.
inline constexpr std::size_t kArtefactBytesMax = std::size_t{512} << 20;

using Sha256 = std::array<std::uint8_t, 32>;
Sha256 sha256(std::string_view bytes);
std::string to_hex(const Sha256& digest);

// `elf` with its seal behind it.
std::string seal(std::string elf);

// The ELF part of a sealed file. Errors: invalid_input when the seal is missing or does not match.
Result<std::string_view> unseal(std::string_view file);

// Contents of a section by name, through libelf; empty when the file has no such section.
// `elf` is the ELF part of an artefact (unsealed).
std::string_view find_section(std::string_view elf, const char* name);

}  // namespace nur
