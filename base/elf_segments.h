// The ELF header and the program headers of an artefact, checked (docs/artefact.md).
//
// The dynamic loader sees a file through its program headers alone: it maps PT_LOADs page by page
// and finds everything else by virtual address in what it mapped. So does this: section headers,
// which are for linkers and people, are never looked at.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <vector>

#include "base/elf_rules.h"

namespace nur {

// One program header. Addresses are relative to the load base.
struct ElfSegment {
  std::uint32_t type = 0;   // PT_*
  std::uint32_t flags = 0;  // PF_*
  std::uint64_t offset = 0;
  std::uint64_t address = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t alignment = 0;

  [[nodiscard]] bool is_writable() const;
  // Once `check` has passed, these do not wrap.
  [[nodiscard]] std::uint64_t memory_end() const { return address + memory_bytes; }
  [[nodiscard]] bool holds(std::uint64_t begin, std::uint64_t bytes) const {
    return begin >= address && bytes <= memory_bytes && begin - address <= memory_bytes - bytes;
  }
};

class ElfSegments {
 public:
  // Applies the rules from elf_header to thread_local_data. `elf` must outlive the result.
  static std::expected<ElfSegments, ElfRefusal> check(std::string_view elf);

  [[nodiscard]] const std::vector<ElfSegment>& all() const { return segments_; }
  // The first of its type, of which there is exactly one.
  [[nodiscard]] const ElfSegment& dynamic() const;
  [[nodiscard]] const ElfSegment& text() const;

  // The PT_LOAD that has all of [address, address + bytes) in memory, or null.
  [[nodiscard]] const ElfSegment* load_of(std::uint64_t address, std::uint64_t bytes) const;

  // What the loader will have at `address`: `bytes` of the file, all from one PT_LOAD. Empty when
  // they are not all there.
  [[nodiscard]] std::optional<std::string_view> bytes_at(std::uint64_t address,
                                                         std::uint64_t bytes) const;

  // The same, of a PT_LOAD that is never writable: neither relocations nor code change it later.
  [[nodiscard]] std::optional<std::string_view> constant_bytes_at(std::uint64_t address,
                                                                  std::uint64_t bytes) const;

 private:
  explicit ElfSegments(std::string_view elf) : elf_(elf) {}

  std::expected<void, ElfRefusal> read_headers();
  std::expected<void, ElfRefusal> check_types() const;
  std::expected<void, ElfRefusal> check_flags() const;
  std::expected<void, ElfRefusal> check_loads() const;
  std::expected<void, ElfRefusal> check_places() const;

  std::string_view elf_;
  std::vector<ElfSegment> segments_;
};

}  // namespace nur
