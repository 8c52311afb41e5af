#include "base/elf_segments.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <gelf.h>
#include <memory>
#include <string>

#include "base/check.h"

namespace nur {
namespace {

constexpr std::uint64_t kPageBytes = 4096;
// Beyond a module of tens of megabytes and its image of at most 4 GiB there is nothing to map.
constexpr std::uint64_t kAddressMax = std::uint64_t{4} << 30;
// A loader aligns the whole object to its widest segment; no page size here is larger.
constexpr std::uint64_t kAlignmentMax = std::uint64_t{2} << 20;
constexpr std::size_t kSegmentsMax = 16;  // ld makes nine

constexpr std::uint32_t kReadable = PF_R;
constexpr std::uint32_t kCode = PF_R | PF_X;
constexpr std::uint32_t kData = PF_R | PF_W;

std::uint64_t page_down(std::uint64_t address) { return address & ~(kPageBytes - 1); }
std::uint64_t page_up(std::uint64_t address) { return page_down(address + kPageBytes - 1); }

struct ElfEnd {
  void operator()(Elf* file) const { ::elf_end(file); }
};

// The file header and the program headers alone, as a file of its own that says it has no sections:
// what libelf makes of section headers (tables as long as the file claims) does not concern us.
std::string without_sections(std::string_view elf, const Elf64_Ehdr& header) {
  Elf64_Ehdr bare = header;
  bare.e_shoff = 0;
  bare.e_shnum = 0;
  bare.e_shstrndx = SHN_UNDEF;
  std::string head(elf.substr(0, sizeof header + header.e_phnum * sizeof(Elf64_Phdr)));
  std::memcpy(head.data(), &bare, sizeof bare);
  return head;
}

}  // namespace

bool ElfSegment::is_writable() const { return (flags & PF_W) != 0; }

std::expected<ElfSegments, ElfRefusal> ElfSegments::check(std::string_view elf) {
  ElfSegments segments(elf);
  NUR_TRY(segments.read_headers());
  NUR_TRY(segments.check_types());
  NUR_TRY(segments.check_flags());
  NUR_TRY(segments.check_loads());
  // From here on every PT_LOAD lies inside the file and in pages of its own.
  NUR_TRY(segments.check_places());
  return segments;
}

std::expected<void, ElfRefusal> ElfSegments::read_headers() {
  Elf64_Ehdr raw;
  if (elf_.size() < sizeof raw) {
    return refuse(ElfRule::elf_header, "{} bytes are too few for an ELF header", elf_.size());
  }
  std::memcpy(&raw, elf_.data(), sizeof raw);

  const std::array<unsigned char, EI_NIDENT> ident = std::to_array(raw.e_ident);
  if (std::memcmp(ident.data(), ELFMAG, SELFMAG) != 0) {
    return refuse(ElfRule::elf_header, "not an ELF file");
  }
  if (ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != ELFDATA2LSB) {
    return refuse(ElfRule::elf_header, "not a 64-bit little-endian file");
  }
  // ld marks a file as GNU when it has an IFUNC or a unique symbol, and the loader takes both;
  // those have rules of their own.
  const bool known_os = ident[EI_OSABI] == ELFOSABI_NONE || ident[EI_OSABI] == ELFOSABI_GNU;
  const bool padded = std::all_of(ident.begin() + EI_ABIVERSION, ident.end(),
                                  [](unsigned char byte) { return byte == 0; });
  if (!known_os || !padded || ident[EI_VERSION] != EV_CURRENT) {
    return refuse(ElfRule::elf_header, "unknown version or OS ABI {}", ident[EI_OSABI]);
  }
  if (raw.e_phoff != sizeof raw || raw.e_phentsize != sizeof(Elf64_Phdr) || raw.e_phnum == 0 ||
      raw.e_phnum > kSegmentsMax || raw.e_phnum > (elf_.size() - sizeof raw) / sizeof(Elf64_Phdr)) {
    return refuse(ElfRule::program_headers,
                  "{} program headers of {} bytes at offset {}; 1 to {} of {} at {} are allowed",
                  raw.e_phnum, raw.e_phentsize, raw.e_phoff, kSegmentsMax, sizeof(Elf64_Phdr),
                  sizeof raw);
  }

  NUR_CHECK(::elf_version(EV_CURRENT) != EV_NONE);
  std::string head = without_sections(elf_, raw);
  const std::unique_ptr<Elf, ElfEnd> file(::elf_memory(head.data(), head.size()));
  GElf_Ehdr header;
  if (file == nullptr || ::gelf_getehdr(file.get(), &header) == nullptr) {
    return refuse(ElfRule::elf_header, "{}", ::elf_errmsg(-1));
  }
  if (header.e_type != ET_DYN || header.e_machine != EM_X86_64 || header.e_version != EV_CURRENT ||
      header.e_ehsize != sizeof raw || header.e_flags != 0) {
    return refuse(ElfRule::elf_header, "not an x86-64 shared object (type {}, machine {})",
                  header.e_type, header.e_machine);
  }
  for (int i = 0; i < header.e_phnum; ++i) {
    GElf_Phdr segment;
    if (::gelf_getphdr(file.get(), i, &segment) == nullptr) {
      return refuse(ElfRule::program_headers, "program header {}: {}", i, ::elf_errmsg(-1));
    }
    segments_.push_back({.type = segment.p_type,
                         .flags = segment.p_flags,
                         .offset = segment.p_offset,
                         .address = segment.p_vaddr,
                         .file_bytes = segment.p_filesz,
                         .memory_bytes = segment.p_memsz,
                         .alignment = segment.p_align});
  }
  return {};
}

std::expected<void, ElfRefusal> ElfSegments::check_types() const {
  const auto count = [&](std::uint32_t type) {
    return std::ranges::count(segments_, type, &ElfSegment::type);
  };
  // What has a rule of its own comes first, so that a refusal names the cause.
  if (count(PT_INTERP) != 0) return refuse(ElfRule::interpreter, "the file asks for a loader");
  if (count(PT_TLS) != 0) {
    return refuse(ElfRule::thread_local_data, "the file has thread-local data");
  }
  if (count(PT_GNU_STACK) == 0) return refuse(ElfRule::executable_stack, "no PT_GNU_STACK");

  for (const ElfSegment& segment : segments_) {
    switch (segment.type) {
      case PT_LOAD:
      case PT_NOTE:
        break;
      case PT_DYNAMIC:
      case PT_GNU_STACK:
      case PT_GNU_RELRO:
      case PT_GNU_EH_FRAME:
      case PT_GNU_PROPERTY:
        if (count(segment.type) == 1) break;
        return refuse(ElfRule::program_headers, "segment type {:#x} is there {} times",
                      segment.type, count(segment.type));
      default:
        return refuse(ElfRule::program_headers, "segment type {:#x} is not allowed", segment.type);
    }
  }
  if (count(PT_DYNAMIC) == 0) return refuse(ElfRule::program_headers, "no PT_DYNAMIC");
  return {};
}

std::expected<void, ElfRefusal> ElfSegments::check_flags() const {
  std::size_t code_segments = 0;
  for (const ElfSegment& segment : segments_) {
    if (segment.type == PT_GNU_STACK) {
      if (segment.flags == kData) continue;
      return refuse(ElfRule::executable_stack, "PT_GNU_STACK has flags {:#x}", segment.flags);
    }
    if ((segment.flags & PF_W) != 0 && (segment.flags & PF_X) != 0) {
      return refuse(ElfRule::writable_code, "the segment at {:#x} is writable and executable",
                    segment.address);
    }
    if (segment.flags != kReadable && segment.flags != kCode && segment.flags != kData) {
      return refuse(ElfRule::program_headers, "the segment at {:#x} has flags {:#x}",
                    segment.address, segment.flags);
    }
    if (segment.type == PT_LOAD && segment.flags == kCode) ++code_segments;
  }
  if (code_segments != 1) {
    return refuse(ElfRule::program_headers, "{} executable segments, there must be one",
                  code_segments);
  }
  return {};
}

std::expected<void, ElfRefusal> ElfSegments::check_loads() const {
  std::uint64_t free_from = 0;  // first page no segment has yet
  bool first = true;
  for (const ElfSegment& segment : segments_) {
    if (segment.type != PT_LOAD) continue;
    const auto broken = [&](std::string_view what) {
      return refuse(ElfRule::segments_in_file, "the segment at {:#x} {}", segment.address, what);
    };
    if (segment.offset > elf_.size() || segment.file_bytes > elf_.size() - segment.offset) {
      return broken("reaches outside the file");
    }
    if (segment.address > kAddressMax || segment.memory_bytes > kAddressMax - segment.address) {
      return broken("reaches above 4 GiB");
    }
    if (segment.memory_bytes == 0 || segment.file_bytes > segment.memory_bytes) {
      return broken("has more bytes in the file than in memory, or none");
    }
    if (!segment.is_writable() && segment.file_bytes != segment.memory_bytes) {
      return broken("has zeros to add and is not writable");
    }
    if (!std::has_single_bit(segment.alignment) || segment.alignment < kPageBytes ||
        segment.alignment > kAlignmentMax ||
        (segment.address - segment.offset) % segment.alignment != 0) {
      return broken("is not aligned to whole pages");
    }
    if (page_down(segment.address) < free_from)
      return broken("overlaps another or is out of order");
    free_from = page_up(segment.memory_end());

    // The loader keeps using the program headers where the first segment maps them.
    const std::uint64_t headers = sizeof(Elf64_Ehdr) + segments_.size() * sizeof(Elf64_Phdr);
    if (first && (segment.offset != 0 || segment.file_bytes < headers || segment.is_writable())) {
      return broken("comes first and does not hold the headers, read-only");
    }
    first = false;
  }
  return {};
}

std::expected<void, ElfRefusal> ElfSegments::check_places() const {
  for (const ElfSegment& segment : segments_) {
    if (segment.type == PT_LOAD || segment.type == PT_GNU_STACK) continue;
    const auto outside = [&](std::string_view wanted) {
      return refuse(ElfRule::segments_in_file, "segment type {:#x} at {:#x} is not inside {}",
                    segment.type, segment.address, wanted);
    };
    const ElfSegment* const load = load_of(segment.address, 1);
    if (load == nullptr) return outside("a loaded segment");
    if (segment.type == PT_GNU_RELRO) {
      // ld rounds its end up to a whole page, which may lie behind the segment's last byte.
      const std::uint64_t room = page_up(load->memory_end()) - segment.address;
      if (!load->is_writable() || segment.memory_bytes > room) {
        return outside("the writable segment");
      }
      continue;
    }
    // Found by offset or by address, it is the same bytes.
    const bool same_place = segment.offset - segment.address == load->offset - load->address;
    if (!same_place || segment.file_bytes != segment.memory_bytes ||
        !bytes_at(segment.address, segment.memory_bytes)) {
      return outside("the file's part of a loaded segment");
    }
    if (segment.type == PT_DYNAMIC) {
      // The loader writes addresses into it unless the program header says that it may not.
      if (!load->is_writable() || !segment.is_writable()) return outside("the writable segment");
      if (segment.address % sizeof(std::uint64_t) != 0) return outside("whole words");
    } else if (load->is_writable()) {
      return outside("a read-only segment");
    }
  }
  return {};
}

const ElfSegment& ElfSegments::dynamic() const {
  const auto found = std::ranges::find(segments_, std::uint32_t{PT_DYNAMIC}, &ElfSegment::type);
  NUR_CHECK(found != segments_.end());
  return *found;
}

const ElfSegment& ElfSegments::text() const {
  const auto found = std::ranges::find_if(segments_, [](const ElfSegment& segment) {
    return segment.type == PT_LOAD && segment.flags == kCode;
  });
  NUR_CHECK(found != segments_.end());
  return *found;
}

const ElfSegment* ElfSegments::load_of(std::uint64_t address, std::uint64_t bytes) const {
  const auto found = std::ranges::find_if(segments_, [&](const ElfSegment& segment) {
    return segment.type == PT_LOAD && segment.holds(address, bytes);
  });
  return found == segments_.end() ? nullptr : &*found;
}

std::optional<std::string_view> ElfSegments::bytes_at(std::uint64_t address,
                                                      std::uint64_t bytes) const {
  const ElfSegment* const load = load_of(address, bytes);
  if (load == nullptr) return std::nullopt;
  const std::uint64_t at = address - load->address;
  if (at > load->file_bytes || bytes > load->file_bytes - at) return std::nullopt;
  return elf_.substr(load->offset + at, bytes);
}

std::optional<std::string_view> ElfSegments::constant_bytes_at(std::uint64_t address,
                                                               std::uint64_t bytes) const {
  const ElfSegment* const load = load_of(address, bytes);
  if (load == nullptr || load->is_writable()) return std::nullopt;
  return bytes_at(address, bytes);
}

}  // namespace nur
