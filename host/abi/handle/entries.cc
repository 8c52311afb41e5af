#include "host/abi/handle/entries.h"

#include "base/log.h"

namespace nur {

Result<HandleEntries> HandleEntries::find(const Manifest& manifest) {
  HandleEntries entries;
  for (const ManifestExport& exported : manifest.exports) {
    if (exported.kind != ExternalKind::function || exported.type != FunctionType{}) continue;
    if (exported.name == "_initialize") {
      entries.initialize_ = exported.entry;
    } else {
      entries.functions_.emplace(exported.name, exported.entry);
    }
  }
  if (entries.functions_.empty()) {
    return fail(ErrorKind::invalid_input, "no export handle of type () -> ()");
  }
  for (const ManifestImport& import : manifest.imports) {
    const bool is_wasi = import.module != "env";
    entries.wasi_imports_.push_back(is_wasi);
    entries.uses_wasi_ = entries.uses_wasi_ || is_wasi;
  }
  return entries;
}

std::optional<std::uint32_t> HandleEntries::find(std::string_view name) const {
  const auto found = functions_.find(name);
  if (found == functions_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::uint32_t> HandleEntries::choose(std::string_view function) const {
  if (const auto entry = find("handle")) return entry;
  if (const auto entry = find(function)) return entry;
  if (functions_.size() == 1) return functions_.begin()->second;
  return std::nullopt;
}

std::string HandleEntries::names() const {
  constexpr std::size_t kNameBytes = 64;
  std::string names;
  for (const auto& [name, entry] : functions_) {
    names += (names.empty() ? "" : ", ") + printable(name, kNameBytes);
  }
  return names;
}

}  // namespace nur
