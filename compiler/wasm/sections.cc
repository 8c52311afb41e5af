#include "compiler/wasm/sections.h"

#include <string_view>
#include <unordered_set>

#include "compiler/wasm/text.h"
#include "compiler/wasm/value_types.h"

namespace nur {
namespace {

// How imports and exports write a kind.
Result<ExternalKind> read_external_kind(SectionReader& reader) {
  const std::size_t at = reader.offset();
  switch (const std::uint8_t byte = NUR_TRY(reader.byte("kind"))) {
    case 0:
      return ExternalKind::function;
    case 1:
      return ExternalKind::table;
    case 2:
      return ExternalKind::memory;
    case 3:
      return ExternalKind::global;
    case 4:
      return refuse_feature(Feature::exceptions, "tag", at);
    default:
      return reader.malformed(at, "unknown kind {:#04x} of import or export", byte);
  }
}

Result<void> add_function(SectionReader& reader, const ModuleLimits& limits, WasmModule& module) {
  if (module.functions.size() >= limits.functions) {
    return reader.over_limit(module.functions.size() + 1, "functions", limits.functions);
  }
  module.functions.push_back(NUR_TRY(reader.index("type", module.types.size())));
  return {};
}

constexpr std::uint8_t kTableWithInitializer = 0x40;

Result<void> add_table(SectionReader& reader, const ModuleLimits& limits, bool imported,
                       WasmModule& module) {
  if (module.tables.size() >= limits.tables) {
    return reader.over_limit(module.tables.size() + 1, "tables", limits.tables);
  }
  const std::size_t at = reader.offset();
  if (!imported && NUR_TRY(reader.peek("reference type")) == kTableWithInitializer) {
    return refuse_feature(Feature::typed_function_references, "table with an initial value", at);
  }
  WasmTable table;
  table.element = NUR_TRY(read_reference_type(reader, module.features));
  table.entries = NUR_TRY(read_table_limits(reader, limits));
  table.imported = imported;
  if (!module.tables.empty()) module.features.add(Feature::reference_types);
  module.tables.push_back(table);
  return {};
}

Result<void> add_memory(SectionReader& reader, const ModuleLimits& limits, bool imported,
                        WasmModule& module) {
  const std::size_t at = reader.offset();
  if (!module.memories.empty()) {
    return refuse_feature(Feature::multi_memory, "a second memory", at);
  }
  module.memories.push_back({NUR_TRY(read_memory_limits(reader, limits)), imported});
  return {};
}

// Type and mutability.
Result<WasmGlobal> read_global_type(SectionReader& reader, const ModuleLimits& limits,
                                    WasmModule& module) {
  if (module.globals.size() >= limits.globals) {
    return reader.over_limit(module.globals.size() + 1, "globals", limits.globals);
  }
  WasmGlobal global;
  global.type = NUR_TRY(read_value_type(reader, module.features));
  const std::size_t at = reader.offset();
  const std::uint8_t mutability = NUR_TRY(reader.byte("mutability"));
  if (mutability > 1) return reader.malformed(at, "mutability is {:#04x}", mutability);
  global.is_mutable = mutability == 1;
  return global;
}

Result<void> read_import(SectionReader& reader, const ModuleLimits& limits, WasmModule& module) {
  WasmImport import;
  import.module = NUR_TRY(reader.name("module name of an import"));
  import.name = NUR_TRY(reader.name("name of an import"));
  import.kind = NUR_TRY(read_external_kind(reader));
  switch (import.kind) {
    case ExternalKind::function:
      import.index = static_cast<std::uint32_t>(module.functions.size());
      NUR_TRY(add_function(reader, limits, module));
      ++module.imported_functions;
      break;
    case ExternalKind::table:
      import.index = static_cast<std::uint32_t>(module.tables.size());
      NUR_TRY(add_table(reader, limits, true, module));
      break;
    case ExternalKind::memory:
      NUR_TRY(add_memory(reader, limits, true, module));
      break;
    case ExternalKind::global: {
      const WasmGlobal global = NUR_TRY(read_global_type(reader, limits, module));
      import.index = static_cast<std::uint32_t>(module.globals.size());
      module.globals.push_back(global);
      if (global.is_mutable) module.features.add(Feature::mutable_globals);
      break;
    }
  }
  module.imports.push_back(import);
  return {};
}

std::size_t size_of_index_space(const WasmModule& module, ExternalKind kind) {
  switch (kind) {
    case ExternalKind::function:
      return module.functions.size();
    case ExternalKind::table:
      return module.tables.size();
    case ExternalKind::memory:
      return module.memories.size();
    case ExternalKind::global:
      return module.globals.size();
  }
  return 0;
}

}  // namespace

Result<void> read_type_section(SectionReader& reader, const ModuleLimits& limits,
                               WasmModule& module) {
  const std::uint32_t count = NUR_TRY(reader.count("number of types"));
  if (count > limits.types) return reader.over_limit(count, "types", limits.types);
  module.types.reserve(count);
  for (std::uint32_t index = 0; index < count; ++index) {
    module.types.push_back(NUR_TRY(read_function_type(reader, limits, module.features)));
  }
  return reader.finish();
}

Result<void> read_import_section(SectionReader& reader, const ModuleLimits& limits,
                                 WasmModule& module) {
  const std::uint32_t count = NUR_TRY(reader.count("number of imports"));
  if (count > limits.imports) return reader.over_limit(count, "imports", limits.imports);
  module.imports.reserve(count);
  for (std::uint32_t index = 0; index < count; ++index) {
    NUR_TRY(read_import(reader, limits, module));
  }
  return reader.finish();
}

Result<void> read_function_section(SectionReader& reader, const ModuleLimits& limits,
                                   WasmModule& module) {
  const std::uint32_t count = NUR_TRY(reader.count("number of functions"));
  if (count > limits.functions) return reader.over_limit(count, "functions", limits.functions);
  module.functions.reserve(module.functions.size() + count);
  for (std::uint32_t index = 0; index < count; ++index) {
    NUR_TRY(add_function(reader, limits, module));
  }
  return reader.finish();
}

Result<void> read_table_section(SectionReader& reader, const ModuleLimits& limits,
                                WasmModule& module) {
  const std::uint32_t count = NUR_TRY(reader.count("number of tables"));
  for (std::uint32_t index = 0; index < count; ++index) {
    NUR_TRY(add_table(reader, limits, false, module));
  }
  return reader.finish();
}

Result<void> read_memory_section(SectionReader& reader, const ModuleLimits& limits,
                                 WasmModule& module) {
  const std::uint32_t count = NUR_TRY(reader.count("number of memories"));
  for (std::uint32_t index = 0; index < count; ++index) {
    NUR_TRY(add_memory(reader, limits, false, module));
  }
  return reader.finish();
}

Result<void> read_global_section(SectionReader& reader, const ModuleLimits& limits,
                                 WasmModule& module) {
  const std::uint32_t count = NUR_TRY(reader.count("number of globals"));
  for (std::uint32_t index = 0; index < count; ++index) {
    WasmGlobal global = NUR_TRY(read_global_type(reader, limits, module));
    global.initializer = NUR_TRY(read_constant(reader, limits, module, global.type));
    module.globals.push_back(global);
  }
  return reader.finish();
}

Result<void> read_export_section(SectionReader& reader, const ModuleLimits& limits,
                                 WasmModule& module) {
  const std::uint32_t count = NUR_TRY(reader.count("number of exports"));
  if (count > limits.exports) return reader.over_limit(count, "exports", limits.exports);
  module.exports.reserve(count);
  std::unordered_set<std::string_view> names;
  for (std::uint32_t index = 0; index < count; ++index) {
    const std::size_t at = reader.offset();
    WasmExport found;
    found.name = NUR_TRY(reader.name("name of an export"));
    found.kind = NUR_TRY(read_external_kind(reader));
    found.index =
        NUR_TRY(reader.index(to_string(found.kind), size_of_index_space(module, found.kind)));
    if (!names.insert(found.name).second) {
      return reader.malformed(at, "two exports are named {}", printable(found.name));
    }
    if (found.kind == ExternalKind::global && module.globals[found.index].is_mutable) {
      module.features.add(Feature::mutable_globals);
    }
    if (found.kind == ExternalKind::function) module.declare_reference(found.index);
    module.exports.push_back(found);
  }
  return reader.finish();
}

Result<void> read_start_section(SectionReader& reader, WasmModule& module) {
  const std::size_t at = reader.offset();
  const std::uint32_t function = NUR_TRY(reader.index("function", module.functions.size()));
  if (module.type_of(function) != FunctionType{}) {
    return reader.malformed(at, "start function {} is {}, expected {}", function,
                            to_string(module.type_of(function)), to_string(FunctionType{}));
  }
  module.start = function;
  return reader.finish();
}

}  // namespace nur
