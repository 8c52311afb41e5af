// An artefact's dynamic segment names four tables and a few flags, nothing else:
//
//   PT_DYNAMIC -> DT_HASH    one symbol's way in, walked by dlsym
//                 DT_SYMTAB  the null symbol and nur_module
//                 DT_STRTAB  their names
//                 DT_RELA    addresses in writable data to add the load base to
//
// The tables lie in a segment that is never writable, so that they are still what was checked here
// when the loader has applied the relocations.
#include "base/elf_dynamic.h"

#include <cstring>
#include <libelf.h>
#include <map>
#include <optional>
#include <vector>

#include "base/log.h"
#include "nur/abi.h"

namespace nur {
namespace {

using Checked = std::expected<void, ElfRefusal>;

constexpr char kModuleSymbol[] = "nur_module";
constexpr std::size_t kShownNameBytes = 80;
// Twelve are allowed; the rest is for a refusal that names the first one that is not.
constexpr std::size_t kTagsMax = 64;

// Tag to value; every tag is there once.
using DynamicTags = std::map<std::int64_t, std::uint64_t>;

// One table of records as the file holds it; the file need not be aligned in our memory.
template <class Record>
class RecordTable {
 public:
  RecordTable() = default;
  explicit RecordTable(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint64_t size() const { return bytes_.size() / sizeof(Record); }
  [[nodiscard]] Record at(std::uint64_t index) const {
    Record record;
    std::memcpy(&record, bytes_.substr(index * sizeof record, sizeof record).data(), sizeof record);
    return record;
  }

 private:
  std::string_view bytes_;
};

// DT_HASH (gABI, "Hash Table"): two counts, then the first symbol of each bucket, then for each
// symbol the next one of its bucket; 0 ends a chain.
struct HashTable {
  std::uint64_t bucket_count = 0;
  std::uint64_t symbol_count = 0;
  RecordTable<Elf64_Word> words;  // behind the counts

  [[nodiscard]] std::uint64_t first(std::uint64_t bucket) const { return words.at(bucket); }
  [[nodiscard]] std::uint64_t next(std::uint64_t symbol) const {
    return words.at(bucket_count + symbol);
  }
};

struct DynamicTables {
  HashTable hash;
  RecordTable<Elf64_Sym> symbols;
  std::string_view names;  // ends with a NUL
  RecordTable<Elf64_Rela> relocations;
};

std::expected<DynamicTags, ElfRefusal> read_tags(const ElfSegments& segments) {
  const ElfSegment& dynamic = segments.dynamic();
  const RecordTable<Elf64_Dyn> entries(*segments.bytes_at(dynamic.address, dynamic.memory_bytes));
  DynamicTags tags;
  for (std::uint64_t i = 0; i < entries.size(); ++i) {
    const Elf64_Dyn entry = entries.at(i);
    switch (entry.d_tag) {
      case DT_NULL:
        return tags;
      case DT_NEEDED:
        return refuse(ElfRule::needed, "the file wants another library loaded");
      case DT_INIT:
      case DT_FINI:
      case DT_INIT_ARRAY:
      case DT_FINI_ARRAY:
      case DT_PREINIT_ARRAY:
      case DT_INIT_ARRAYSZ:
      case DT_FINI_ARRAYSZ:
      case DT_PREINIT_ARRAYSZ:
        return refuse(ElfRule::constructors, "the file has code to be run by the loader (tag {})",
                      entry.d_tag);
      case DT_TEXTREL:
        return refuse(ElfRule::text_relocations, "DT_TEXTREL");
      default:
        break;
    }
    if (tags.size() == kTagsMax) {
      return refuse(ElfRule::dynamic_tag, "more than {} tags", kTagsMax);
    }
    if (!tags.emplace(entry.d_tag, entry.d_un.d_val).second) {
      return refuse(ElfRule::dynamic_tag, "tag {:#x} is there twice", entry.d_tag);
    }
  }
  return refuse(ElfRule::dynamic_tables, "the dynamic segment has no end");
}

Checked check_flags(const DynamicTags& tags) {
  for (const auto& [tag, value] : tags) {
    if (tag == DT_FLAGS && (value & DF_TEXTREL) != 0) {
      return refuse(ElfRule::text_relocations, "DF_TEXTREL");
    }
    if (tag == DT_FLAGS && (value & ~std::uint64_t{DF_BIND_NOW | DF_SYMBOLIC}) != 0) {
      return refuse(ElfRule::dynamic_tag, "DT_FLAGS {:#x}", value);
    }
    if (tag == DT_FLAGS_1 && (value & ~std::uint64_t{DF_1_NOW}) != 0) {
      return refuse(ElfRule::dynamic_tag, "DT_FLAGS_1 {:#x}", value);
    }
  }
  return {};
}

Checked check_listed(const DynamicTags& tags) {
  for (const auto& [tag, value] : tags) {
    switch (tag) {
      case DT_HASH:
      case DT_STRTAB:
      case DT_SYMTAB:
      case DT_STRSZ:
      case DT_SYMENT:
      case DT_RELA:
      case DT_RELASZ:
      case DT_RELAENT:
      case DT_RELACOUNT:
      case DT_SYMBOLIC:
      case DT_FLAGS:
      case DT_FLAGS_1:
        break;
      default:
        return refuse(ElfRule::dynamic_tag, "tag {:#x} is not allowed", tag);
    }
  }
  return {};
}

// Walks every chain as dlsym would; none leads astray.
std::expected<HashTable, ElfRefusal> find_hash(const ElfSegments& segments, std::uint64_t address) {
  constexpr std::uint64_t kCountsBytes = 2 * sizeof(Elf64_Word);
  const std::optional<std::string_view> counts = segments.constant_bytes_at(address, kCountsBytes);
  if (!counts || address % sizeof(std::uint64_t) != 0) {
    return refuse(ElfRule::dynamic_tables, "DT_HASH {:#x} is outside constant data", address);
  }
  HashTable hash;
  hash.bucket_count = RecordTable<Elf64_Word>(*counts).at(0);
  hash.symbol_count = RecordTable<Elf64_Word>(*counts).at(1);
  const std::optional<std::string_view> words = segments.constant_bytes_at(
      address + kCountsBytes, (hash.bucket_count + hash.symbol_count) * sizeof(Elf64_Word));
  if (hash.bucket_count == 0 || hash.symbol_count == 0 || !words) {
    return refuse(ElfRule::dynamic_tables, "DT_HASH has {} buckets for {} symbols",
                  hash.bucket_count, hash.symbol_count);
  }
  hash.words = RecordTable<Elf64_Word>(*words);

  std::vector<bool> seen(hash.symbol_count);
  for (std::uint64_t bucket = 0; bucket < hash.bucket_count; ++bucket) {
    std::uint64_t symbol = hash.first(bucket);
    while (symbol != STN_UNDEF) {
      if (symbol >= hash.symbol_count || seen[symbol]) {
        return refuse(ElfRule::dynamic_tables, "DT_HASH leads {} symbol {}",
                      symbol >= hash.symbol_count ? "past the end to" : "twice to", symbol);
      }
      seen[symbol] = true;
      symbol = hash.next(symbol);
    }
  }
  return hash;
}

std::expected<DynamicTables, ElfRefusal> find_tables(const ElfSegments& segments,
                                                     const DynamicTags& tags) {
  const auto value_of = [&](std::int64_t tag) -> std::optional<std::uint64_t> {
    const auto found = tags.find(tag);
    return found == tags.end() ? std::nullopt : std::optional(found->second);
  };
  const auto broken = [](std::string_view what) {
    return refuse(ElfRule::dynamic_tables, "{}", what);
  };
  const auto hash = value_of(DT_HASH);
  const auto symbols = value_of(DT_SYMTAB);
  const auto names = value_of(DT_STRTAB);
  const auto names_bytes = value_of(DT_STRSZ);
  if (!hash) return broken("no DT_HASH (link with --hash-style=sysv)");
  if (!symbols || !names || !names_bytes) return broken("no DT_SYMTAB, DT_STRTAB or DT_STRSZ");
  if (value_of(DT_SYMENT) != sizeof(Elf64_Sym)) return broken("DT_SYMENT is not 24");

  DynamicTables tables;
  tables.hash = NUR_TRY(find_hash(segments, *hash));
  const auto symbol_bytes =
      segments.constant_bytes_at(*symbols, tables.hash.symbol_count * sizeof(Elf64_Sym));
  if (!symbol_bytes || *symbols % alignof(Elf64_Sym) != 0) {
    return broken("DT_SYMTAB is outside constant data");
  }
  tables.symbols = RecordTable<Elf64_Sym>(*symbol_bytes);

  const auto name_bytes = segments.constant_bytes_at(*names, *names_bytes);
  if (!name_bytes || name_bytes->empty()) return broken("DT_STRTAB is outside constant data");
  if (name_bytes->back() != '\0') return broken("the last name of DT_STRTAB has no end");
  tables.names = *name_bytes;

  const auto relocations = value_of(DT_RELA);
  const auto relocations_bytes = value_of(DT_RELASZ);
  const bool any = relocations || relocations_bytes || value_of(DT_RELAENT);
  if (any || value_of(DT_RELACOUNT)) {
    if (!relocations || !relocations_bytes || value_of(DT_RELAENT) != sizeof(Elf64_Rela) ||
        *relocations_bytes % sizeof(Elf64_Rela) != 0) {
      return broken("DT_RELA, DT_RELASZ and DT_RELAENT do not belong together");
    }
    const auto bytes = segments.constant_bytes_at(*relocations, *relocations_bytes);
    if (!bytes || *relocations % alignof(Elf64_Rela) != 0) {
      return broken("DT_RELA is outside constant data");
    }
    tables.relocations = RecordTable<Elf64_Rela>(*bytes);
  }
  // The loader takes the first DT_RELACOUNT of them for relative ones without looking.
  if (value_of(DT_RELACOUNT).value_or(0) > tables.relocations.size()) {
    return broken("DT_RELACOUNT is larger than the table");
  }
  return tables;
}

Checked check_module_symbol(const ElfSegments& segments, const Elf64_Sym& symbol) {
  const auto broken = [](std::string_view what) {
    return refuse(ElfRule::exported_symbol, "{} {}", kModuleSymbol, what);
  };
  if (ELF64_ST_BIND(symbol.st_info) != STB_GLOBAL || ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT ||
      symbol.st_other != STV_DEFAULT) {
    return broken("is not a global object of default visibility");
  }
  // Above are reserved numbers; an absolute symbol, for one, would be used without the load base.
  if (symbol.st_shndx >= SHN_LORESERVE) return broken("is in no section");
  // dlsym takes an address of 0 for "not here".
  if (symbol.st_value == 0) return broken("is at address 0");
  if (symbol.st_size != sizeof(struct nur_module)) return broken("is of another size");
  if (symbol.st_value % alignof(struct nur_module) != 0 ||
      segments.load_of(symbol.st_value, sizeof(struct nur_module)) == nullptr) {
    return broken("is not inside a segment");
  }
  return {};
}

bool leads_to(const HashTable& hash, std::uint64_t wanted, const char* name) {
  std::uint64_t symbol = hash.first(::elf_hash(name) % hash.bucket_count);
  while (symbol != wanted && symbol != STN_UNDEF) symbol = hash.next(symbol);
  return symbol == wanted;
}

Checked check_symbols(const ElfSegments& segments, const DynamicTables& tables) {
  bool found = false;
  for (std::uint64_t i = 1; i < tables.symbols.size(); ++i) {
    const Elf64_Sym symbol = tables.symbols.at(i);
    if (symbol.st_name >= tables.names.size()) {
      return refuse(ElfRule::dynamic_tables, "the name of symbol {} is outside DT_STRTAB", i);
    }
    const std::string_view name(tables.names.data() + symbol.st_name);
    const std::string shown = printable(name, kShownNameBytes);
    if (ELF64_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC) {
      return refuse(ElfRule::ifunc, "{} is resolved by code", shown);
    }
    if (ELF64_ST_BIND(symbol.st_info) == STB_GNU_UNIQUE) {
      return refuse(ElfRule::unique_symbol, "{} would pin the object in memory", shown);
    }
    if (ELF64_ST_TYPE(symbol.st_info) == STT_TLS) {
      return refuse(ElfRule::thread_local_data, "{} is thread-local", shown);
    }
    if (symbol.st_shndx == SHN_UNDEF) {
      return refuse(ElfRule::undefined_symbol, "{} is to be found elsewhere", shown);
    }
    if (name != kModuleSymbol || found) {
      return refuse(ElfRule::exported_symbol, "{} is exported beside {}", shown, kModuleSymbol);
    }
    NUR_TRY(check_module_symbol(segments, symbol));
    if (!leads_to(tables.hash, i, kModuleSymbol)) {
      return refuse(ElfRule::dynamic_tables, "DT_HASH does not lead to {}", kModuleSymbol);
    }
    found = true;
  }
  if (!found) return refuse(ElfRule::exported_symbol, "{} is missing", kModuleSymbol);
  return {};
}

Checked check_relocations(const ElfSegments& segments, const DynamicTables& tables) {
  constexpr std::uint64_t kWordBytes = sizeof(std::uint64_t);
  const ElfSegment& dynamic = segments.dynamic();
  for (std::uint64_t i = 0; i < tables.relocations.size(); ++i) {
    const Elf64_Rela relocation = tables.relocations.at(i);
    const std::uint64_t type = ELF64_R_TYPE(relocation.r_info);
    if (type != R_X86_64_RELATIVE || ELF64_R_SYM(relocation.r_info) != 0) {
      return refuse(ElfRule::relocation, "relocation {} has type {}, symbol {}", i, type,
                    ELF64_R_SYM(relocation.r_info));
    }
    const std::uint64_t target = relocation.r_offset;
    const ElfSegment* const load = segments.load_of(target, kWordBytes);
    const bool in_dynamic =
        load != nullptr && target + kWordBytes > dynamic.address && target < dynamic.memory_end();
    if (load == nullptr || !load->is_writable() || target % kWordBytes != 0 || in_dynamic) {
      return refuse(ElfRule::relocation, "relocation {} writes to {:#x}, which is not data", i,
                    target);
    }
    // One past the end is where an empty array may point.
    const auto addend = static_cast<std::uint64_t>(relocation.r_addend);
    if (segments.load_of(addend, 0) == nullptr) {
      return refuse(ElfRule::relocation, "relocation {} points to {:#x}, outside the object", i,
                    addend);
    }
  }
  return {};
}

}  // namespace

Checked check_dynamic(const ElfSegments& segments) {
  const DynamicTags tags = NUR_TRY(read_tags(segments));
  NUR_TRY(check_flags(tags));
  const DynamicTables tables = NUR_TRY(find_tables(segments, tags));
  // Symbols before the other tags: an undefined function brings tags of its own with it, and its
  // name says more than theirs.
  NUR_TRY(check_symbols(segments, tables));
  NUR_TRY(check_listed(tags));
  return check_relocations(segments, tables);
}

}  // namespace nur
