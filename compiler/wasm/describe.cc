#include "compiler/wasm/describe.h"

#include <algorithm>

namespace nur {
namespace {

constexpr std::uint32_t kPagesMax = 65'536;
// Entries of a table that an instance has room for, whatever more the module would let it grow to.
constexpr std::uint32_t kTableCapacityMax = 65'536;

TableLimits limits_of(const WasmTable& table) {
  TableLimits limits;
  limits.element = table.element;
  limits.initial = table.entries.initial;
  limits.capacity =
      std::max(std::min(table.entries.max.value_or(kTableCapacityMax), kTableCapacityMax),
               table.entries.initial);
  return limits;
}

MemoryLimits limits_of(const WasmMemory& memory) {
  return {memory.pages.initial, memory.pages.max.value_or(kPagesMax), memory.imported};
}

}  // namespace

Manifest describe(const WasmModule& module, GuestAbi abi) {
  Manifest manifest;
  manifest.guest_abi = abi;
  for (const WasmImport& import : module.imports) {
    if (import.kind != ExternalKind::function) continue;
    manifest.imports.push_back(
        {std::string(import.module), std::string(import.name), module.type_of(import.index)});
  }
  std::uint32_t entry = 0;
  for (const WasmExport& found : module.exports) {
    ManifestExport described;
    described.name = found.name;
    described.kind = found.kind;
    if (found.kind == ExternalKind::function) {
      described.type = module.type_of(found.index);
      described.entry = entry++;
    }
    manifest.exports.push_back(std::move(described));
  }
  if (!module.memories.empty()) manifest.memory = limits_of(module.memories[0]);
  for (const WasmTable& table : module.tables) manifest.tables.push_back(limits_of(table));
  manifest.has_start = module.start.has_value();
  return manifest;
}

}  // namespace nur
