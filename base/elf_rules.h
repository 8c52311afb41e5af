// What an artefact's ELF file must look like before anything loads it (docs/artefact.md).
//
// dlopen runs code and follows pointers of the file it is given: constructors, IFUNC resolvers,
// relocations. So everything the dynamic loader would act on is checked here first, on the same
// bytes, against a list of what is allowed; whatever is not on the list is refused by rule.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/manifest.h"

namespace nur {

// The ELF note that holds the manifest: owner and type.
inline constexpr std::string_view kManifestNoteName = "nur";
inline constexpr std::uint32_t kManifestNoteType = 1;

// Why a file is refused; to_string gives the rule's name as logs and tests print it.
enum class ElfRule {
  digest,             // the digest at the end is missing or of other bytes
  elf_header,         // not a 64-bit little-endian x86-64 ET_DYN file
  program_headers,    // the table's count, size or place, or a segment not on the list
  segments_in_file,   // a segment reaches outside the file, wraps, or overlaps another one
  writable_code,      // a segment is both writable and executable
  executable_stack,   // PT_GNU_STACK missing or executable
  interpreter,        // PT_INTERP
  thread_local_data,  // PT_TLS
  needed,             // DT_NEEDED
  constructors,       // DT_INIT, DT_FINI or their arrays
  text_relocations,   // DT_TEXTREL or DF_TEXTREL
  dynamic_tag,        // any other dynamic tag that is not on the list
  dynamic_tables,     // symbol, string, hash or relocation table missing, misplaced or malformed
  relocation,         // other than R_X86_64_RELATIVE, or a target outside writable data
  undefined_symbol,   // a symbol to be found elsewhere
  exported_symbol,    // a symbol other than nur_module, or none
  ifunc,              // STT_GNU_IFUNC
  unique_symbol,      // STB_GNU_UNIQUE
  manifest,     // the manifest note is missing, twice there, or it or another note is malformed
  abi_version,  // the manifest's version is not this host's
  target_cpu,   // needs a CPU level this machine has not
};

std::string_view to_string(ElfRule rule);

// What a refused file did wrong. `detail` says which symbol, tag or offset.
struct ElfRefusal {
  ElfRule rule;
  std::string detail;
};

template <class... Args>
std::unexpected<ElfRefusal> refuse(ElfRule rule, fmt::format_string<Args...> format,
                                   Args&&... args) {
  return std::unexpected(ElfRefusal{rule, fmt::format(format, std::forward<Args>(args)...)});
}

// A file that passed every rule.
struct VerifiedElf {
  Manifest manifest;
  // Where in the file its text is, so that it can be read again without looking for it.
  std::uint64_t manifest_offset = 0;
  std::uint64_t manifest_bytes = 0;
  // Virtual addresses of the one executable segment, relative to the load base, from the program
  // headers.
  std::uint64_t text_begin = 0;
  std::uint64_t text_end = 0;
  std::uint64_t load_end = 0;  // behind the last segment
};

// Checks `file`, the whole artefact with its trailing digest. Never touches memory outside `file`,
// whatever it holds. `cpu` is the level to run on.
std::expected<VerifiedElf, ElfRefusal> verify_elf(std::string_view file, CpuLevel cpu);

}  // namespace nur
