#include "compiler/function_names.h"

#include <algorithm>
#include <charconv>
#include <gelf.h>
#include <libelf.h>
#include <memory>
#include <tuple>

#include "base/artefact_file.h"
#include "compiler/frame_rules.h"

namespace nur {
namespace {

std::optional<std::uint32_t> leading_number(std::string_view& text) {
  std::uint32_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return number;
}

// The wasm function a symbol stands for, and whether it only enters it.
struct WasmSymbol {
  std::uint32_t index = NativeFunction::kNone;
  bool is_entry = false;
};

WasmSymbol wasm_symbol(std::string_view symbol, const FunctionNames& functions) {
  constexpr std::string_view kPrefix = "w2c_m_";
  if (!symbol.starts_with(kPrefix)) return {};
  symbol.remove_prefix(kPrefix.size());
  if (symbol.empty()) return {};
  const char kind = symbol.front();
  symbol.remove_prefix(1);
  std::optional<std::uint32_t> number;
  if (kind != 's') number = leading_number(symbol);
  if (kind == 'f' && number) return {*number, false};
  // What follows the export's name makes it the function itself and not what the host calls.
  const bool is_entry = !symbol.starts_with('_');
  if (kind == 's' && functions.start) return {*functions.start, is_entry};
  if (kind == 'e' && number && *number < functions.entries.size()) {
    return {functions.entries[*number], is_entry};
  }
  return {};
}

struct ElfCloser {
  void operator()(Elf* elf) const { elf_end(elf); }
};

}  // namespace

Result<std::vector<NativeFunction>> native_functions(std::string_view bytes,
                                                     const FunctionNames& functions) {
  elf_version(EV_CURRENT);
  std::string copy(bytes);  // elf_memory wants memory it could write
  const std::unique_ptr<Elf, ElfCloser> elf(elf_memory(copy.data(), copy.size()));
  if (!elf) return fail(ErrorKind::internal, "reading the linked object: {}", elf_errmsg(-1));

  std::vector<NativeFunction> natives;
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
      const WasmSymbol wasm = wasm_symbol(name, functions);
      NativeFunction native;
      native.address = symbol.st_value;
      native.bytes = symbol.st_size;
      native.wasm_index = wasm.index;
      native.is_entry = wasm.is_entry;
      const auto known = functions.names.find(wasm.index);
      if (known != functions.names.end()) native.name = known->second;
      natives.push_back(std::move(native));
    }
  }
  // Functions with the same code may have become one, with a symbol for each: the function itself
  // goes before what enters it, and a wasm function before the runtime's.
  std::ranges::sort(natives, [](const NativeFunction& a, const NativeFunction& b) {
    return std::tie(a.address, a.is_entry, a.wasm_index) <
           std::tie(b.address, b.is_entry, b.wasm_index);
  });
  const auto same_code = [](const NativeFunction& a, const NativeFunction& b) {
    return a.address == b.address;
  };
  natives.erase(std::unique(natives.begin(), natives.end(), same_code), natives.end());

  auto rules = NUR_TRY(read_frame_rules(find_section(bytes, ".debug_frame")));
  for (NativeFunction& native : natives) native.rows = std::move(rules[native.address]);
  return natives;
}

}  // namespace nur
