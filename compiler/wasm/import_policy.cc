#include "compiler/wasm/import_policy.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/wasm/text.h"

namespace nur {
namespace {

// One line of imports.def; types as letters.
struct OfferedImport {
  std::string_view module;
  std::string_view name;
  std::string_view parameters;
  std::string_view results;
};

constexpr OfferedImport kOffered[] = {
#define NUR_IMPORT(module, name, parameters, results) {#module, #name, parameters, results},
#include "nur/imports.def"
};

constexpr std::string_view kNurModule = "nur";
constexpr std::string_view kHandleModule = "env";
constexpr std::string_view kWasiModule = "wasi_snapshot_preview1";
constexpr std::string_view kOldWasiModule = "wasi_unstable";

// The import modules that functions of an ABI may come from.
std::vector<std::string_view> modules_of(GuestAbi abi) {
  switch (abi) {
    case GuestAbi::nur:
      return {kNurModule};
    case GuestAbi::handle:
      return {kHandleModule, kWasiModule};
    case GuestAbi::wasi:
    case GuestAbi::typed:
      break;
  }
  return {kWasiModule};
}

// "nur, env and wasi".
std::string listed(const std::vector<std::string_view>& names) {
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) list += i + 1 == names.size() ? " and " : ", ";
    list += names[i];
  }
  return list;
}

std::vector<ValueType> types_of(std::string_view letters) {
  std::vector<ValueType> types;
  for (const char letter : letters) {
    types.push_back(letter == 'i'   ? ValueType::i32
                    : letter == 'I' ? ValueType::i64
                    : letter == 'f' ? ValueType::f32
                                    : ValueType::f64);
  }
  return types;
}

std::string full_name(const WasmImport& import) {
  return printable(import.module) + "." + printable(import.name);
}

constexpr std::size_t kMisspeltMax = 2;

// Insertions, deletions and replacements that make `a` of `b` (Levenshtein).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t column = 0; column <= b.size(); ++column) row[column] = column;
  for (std::size_t line = 1; line <= a.size(); ++line) {
    std::size_t diagonal = row[0];
    row[0] = line;
    for (std::size_t column = 1; column <= b.size(); ++column) {
      const std::size_t replaced = diagonal + (a[line - 1] == b[column - 1] ? 0 : 1);
      diagonal = row[column];
      row[column] = std::min({replaced, row[column] + 1, row[column - 1] + 1});
    }
  }
  return row[b.size()];
}

// The offered function of `module` that `name` may be a misspelling of; empty when there is none.
std::string_view similar(std::string_view module, std::string_view name) {
  std::string_view best;
  std::size_t best_distance = kMisspeltMax + 1;
  for (const OfferedImport& offered : kOffered) {
    if (offered.module != module) continue;
    // Hostile names are long; those are not compared.
    if (name.size() > offered.name.size() + kMisspeltMax) continue;
    const std::size_t distance = edit_distance(name, offered.name);
    if (distance < best_distance) {
      best = offered.name;
      best_distance = distance;
    }
  }
  return best;
}

std::unexpected<Error> unknown_module(const WasmImport& import) {
  if (import.module == kOldWasiModule) {
    return fail(ErrorKind::not_found,
                "imports {}: wasi_unstable is the preview before {}; rebuild the module with a "
                "newer toolchain",
                full_name(import), kWasiModule);
  }
  std::vector<std::string_view> modules;
  for (const OfferedImport& offered : kOffered) {
    if (std::find(modules.begin(), modules.end(), offered.module) == modules.end()) {
      modules.push_back(offered.module);
    }
  }
  return fail(ErrorKind::not_found, "imports {}; nur offers functions of the modules {} only",
              full_name(import), listed(modules));
}

Result<void> check_function_import(const WasmImport& import, const FunctionType& type,
                                   GuestAbi abi) {
  const auto same_module = [&](const OfferedImport& offered) {
    return offered.module == import.module;
  };
  if (std::none_of(std::begin(kOffered), std::end(kOffered), same_module)) {
    return unknown_module(import);
  }
  const std::vector<std::string_view> modules = modules_of(abi);
  if (std::ranges::find(modules, import.module) == modules.end()) {
    return fail(ErrorKind::not_found,
                "imports {}, which the guest abi {} does not offer; it offers functions of {}",
                full_name(import), to_string(abi), listed(modules));
  }
  std::string expected;
  for (const OfferedImport& offered : kOffered) {
    if (!same_module(offered) || offered.name != import.name) continue;
    const FunctionType offered_type{types_of(offered.parameters), types_of(offered.results)};
    if (type == offered_type) return {};
    expected += (expected.empty() ? "" : " or ") + to_string(offered_type);
  }
  if (expected.empty()) {
    const std::string_view meant = similar(import.module, import.name);
    if (meant.empty()) {
      return fail(ErrorKind::not_found, "imports {}, which nur does not offer", full_name(import));
    }
    return fail(ErrorKind::not_found, "imports {}, which nur does not offer; did you mean {}.{}?",
                full_name(import), import.module, meant);
  }
  return fail(ErrorKind::invalid_input, "imports {} as {}, expected {}", full_name(import),
              to_string(type), expected);
}

bool exports_memory(const WasmModule& module) {
  const WasmExport* found = module.find_export("memory");
  return found != nullptr && found->kind == ExternalKind::memory;
}

const FunctionType* exported_function(const WasmModule& module, std::string_view name) {
  const WasmExport* found = module.find_export(name);
  if (found == nullptr || found->kind != ExternalKind::function) return nullptr;
  return &module.type_of(found->index);
}

bool is_number(ValueType type) {
  return type == ValueType::i32 || type == ValueType::i64 || type == ValueType::f32 ||
         type == ValueType::f64;
}

bool exports_typed_function(const WasmModule& module) {
  return std::any_of(module.exports.begin(), module.exports.end(), [&](const WasmExport& found) {
    if (found.kind != ExternalKind::function) return false;
    const FunctionType& type = module.type_of(found.index);
    return std::all_of(type.parameters.begin(), type.parameters.end(), is_number) &&
           std::all_of(type.results.begin(), type.results.end(), is_number);
  });
}

constexpr std::string_view kInitialize = "_initialize";

// Any of them can be what answers a request of the handle ABI.
bool exports_handler(const WasmModule& module) {
  return std::ranges::any_of(module.exports, [&](const WasmExport& found) {
    return found.kind == ExternalKind::function && found.name != kInitialize &&
           module.type_of(found.index) == FunctionType{};
  });
}

// A function that an ABI calls.
struct NeededFunction {
  std::string_view name;
  FunctionType type;
  bool any_results = false;  // whatever it returns is ignored
};

std::vector<NeededFunction> needed_functions(GuestAbi abi) {
  const ValueType i32 = ValueType::i32;
  switch (abi) {
    case GuestAbi::nur:
      return {{"alloc", {{i32}, {i32}}}, {"poll_stream", {{i32, i32}, {}}, true}};
    case GuestAbi::wasi:
      return {{"_start", {}}};
    case GuestAbi::handle:
    case GuestAbi::typed:
      return {};
  }
  return {};
}

// "memory, alloc (i32) -> i32": what the module lacks to be of `abi`; empty when nothing.
std::string missing_exports(const WasmModule& module, GuestAbi abi) {
  std::string missing;
  const auto add = [&missing](std::string_view what) {
    if (!missing.empty()) missing += ", ";
    missing += what;
  };
  if (abi == GuestAbi::typed) {
    if (!exports_typed_function(module)) add("a function over i32, i64, f32 and f64");
    return missing;
  }
  if (abi == GuestAbi::handle) {
    const bool imports_memory = !module.memories.empty() && module.memories[0].imported;
    if (!exports_memory(module) && !imports_memory) add("memory (or an import of env.memory)");
    if (!exports_handler(module)) add("handle () -> ()");
    return missing;
  }
  if (!exports_memory(module)) add("memory");
  for (const NeededFunction& needed : needed_functions(abi)) {
    if (exported_function(module, needed.name) == nullptr) {
      add(fmt::format("{} {}", needed.name, to_string(needed.type)));
    }
  }
  return missing;
}

Result<void> check_exports(const WasmModule& module, GuestAbi abi) {
  const std::string missing = missing_exports(module, abi);
  if (!missing.empty()) {
    return fail(ErrorKind::invalid_input, "lacks exports that the guest abi {} needs: {}",
                to_string(abi), missing);
  }
  for (const NeededFunction& needed : needed_functions(abi)) {
    const FunctionType& type = *exported_function(module, needed.name);
    const bool fits = type.parameters == needed.type.parameters &&
                      (needed.any_results || type.results == needed.type.results);
    if (!fits) {
      return fail(ErrorKind::invalid_input, "exports {} as {}, expected {}", needed.name,
                  to_string(type), to_string(needed.type));
    }
  }
  const FunctionType* const initialize = exported_function(module, kInitialize);
  if (abi == GuestAbi::handle && initialize != nullptr && *initialize != FunctionType{}) {
    return fail(ErrorKind::invalid_input, "exports {} as {}, expected () -> ()", kInitialize,
                to_string(*initialize));
  }
  return {};
}

bool imports_function_of(const WasmModule& module, std::string_view from) {
  return std::ranges::any_of(module.imports, [&](const WasmImport& import) {
    return import.kind == ExternalKind::function && import.module == from;
  });
}

}  // namespace

Result<GuestAbi> recognise_abi(const WasmModule& module, std::optional<GuestAbi> forced) {
  if (forced) return *forced;
  const bool imports_nur =
      std::any_of(module.imports.begin(), module.imports.end(),
                  [](const WasmImport& import) { return import.module == kNurModule; });
  if (imports_nur || exported_function(module, "poll_stream") != nullptr) return GuestAbi::nur;
  if (exported_function(module, "_start") != nullptr) return GuestAbi::wasi;
  const FunctionType* const handler = exported_function(module, "handle");
  if (imports_function_of(module, kHandleModule) ||
      (handler != nullptr && *handler == FunctionType{})) {
    return GuestAbi::handle;
  }
  if (exports_typed_function(module)) return GuestAbi::typed;
  return fail(ErrorKind::invalid_input,
              "exports nothing that nur can call: the guest abi nur lacks {}; wasi lacks {}; "
              "handle lacks {}; typed lacks {}",
              missing_exports(module, GuestAbi::nur), missing_exports(module, GuestAbi::wasi),
              missing_exports(module, GuestAbi::handle), missing_exports(module, GuestAbi::typed));
}

Result<void> check_import_kinds(const WasmModule& module) {
  for (const WasmImport& import : module.imports) {
    if (import.kind == ExternalKind::function || import.kind == ExternalKind::memory) continue;
    return fail(ErrorKind::not_found, "imports {} {}; nur offers no importable {}s",
                to_string(import.kind), full_name(import), to_string(import.kind));
  }
  return {};
}

Result<void> check_imports(const WasmModule& module, GuestAbi abi) {
  NUR_TRY(check_import_kinds(module));
  for (const WasmImport& import : module.imports) {
    if (import.kind != ExternalKind::function) continue;
    NUR_TRY(check_function_import(import, module.type_of(import.index), abi));
  }
  return check_exports(module, abi);
}

}  // namespace nur
