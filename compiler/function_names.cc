#include "compiler/function_names.h"

#include <algorithm>
#include <charconv>
#include <gelf.h>
#include <libelf.h>
#include <memory>
#include <tuple>

namespace nur {
namespace {

std::optional<std::uint32_t> leading_number(std::string_view& text) {
  std::uint32_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return number;
}

// The wasm function a symbol stands for; nullopt for everything else in the object.
std::optional<std::uint32_t> wasm_index_of(std::string_view symbol,
                                           const FunctionNames& functions) {
  constexpr std::string_view kPrefix = "w2c_m_";
  if (!symbol.starts_with(kPrefix)) return std::nullopt;
  symbol.remove_prefix(kPrefix.size());
  if (symbol.empty()) return std::nullopt;
  const char kind = symbol.front();
  symbol.remove_prefix(1);
  if (kind == 's') return functions.start;
  const std::optional<std::uint32_t> number = leading_number(symbol);
  if (!number) return std::nullopt;
  if (kind == 'f') return number;
  if (kind == 'e' && *number < functions.entries.size()) return functions.entries[*number];
  return std::nullopt;
}

struct ElfCloser {
  void operator()(Elf* elf) const { elf_end(elf); }
};

}  // namespace

Result<std::vector<FunctionRange>> function_ranges(std::string_view bytes,
                                                   const FunctionNames& functions) {
  elf_version(EV_CURRENT);
  std::string copy(bytes);  // elf_memory wants memory it could write
  const std::unique_ptr<Elf, ElfCloser> elf(elf_memory(copy.data(), copy.size()));
  if (!elf) return fail(ErrorKind::internal, "reading the linked object: {}", elf_errmsg(-1));

  std::vector<FunctionRange> ranges;
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf.get(), section)) != nullptr) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_SYMTAB) continue;
    Elf_Data* const data = elf_getdata(section, nullptr);
    if (data == nullptr || header.sh_entsize == 0) continue;
    const auto count = static_cast<int>(header.sh_size / header.sh_entsize);
    for (int i = 0; i < count; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, i, &symbol) == nullptr) continue;
      if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_size == 0) continue;
      const char* const name = elf_strptr(elf.get(), header.sh_link, symbol.st_name);
      if (name == nullptr) continue;
      const std::optional<std::uint32_t> index = wasm_index_of(name, functions);
      if (!index) continue;
      const auto known = functions.names.find(*index);
      ranges.push_back({symbol.st_value, symbol.st_size, *index,
                        known != functions.names.end() ? known->second : std::string()});
    }
  }
  std::sort(ranges.begin(), ranges.end(), [](const FunctionRange& a, const FunctionRange& b) {
    return std::tie(a.address, a.wasm_index) < std::tie(b.address, b.wasm_index);
  });
  // An exported function that the compiler merged with its wrapper has two symbols.
  const auto same_code = [](const FunctionRange& a, const FunctionRange& b) {
    return a.address == b.address;
  };
  ranges.erase(std::unique(ranges.begin(), ranges.end(), same_code), ranges.end());
  return ranges;
}

}  // namespace nur
