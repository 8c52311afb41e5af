#include "compiler/limits.h"

#include <fmt/format.h>

#include "base/units.h"

namespace nur {

std::vector<NamedLimit> named_limits(const ModuleLimits& module, const ProcessLimits& tool) {
  const auto& [module_bytes, types, functions, function_body_bytes, nesting, branch_table_targets,
               locals, globals, tables, table_entries, data_segments, element_segments,
               element_entries, imports, exports, parameters, results, memory_pages,
               constant_operands, constant_instructions, image_bytes] = module;
  const auto& [cpu_seconds, memory_bytes, file_bytes, processes, wall] = tool;
  return {
      {"module_bytes", module_bytes, "of a module"},
      {"types", types, "in a module"},
      {"functions", functions, "in a module, imported ones included"},
      {"function_body_bytes", function_body_bytes, "of code of a function"},
      {"nesting", nesting, "blocks inside one another"},
      {"branch_table_targets", branch_table_targets, "of one br_table"},
      {"locals", locals, "of a function, parameters included"},
      {"globals", globals, "in a module"},
      {"tables", tables, "in a module"},
      {"table_entries", table_entries, "of a table to start with"},
      {"data_segments", data_segments, "in a module"},
      {"element_segments", element_segments, "in a module"},
      {"element_entries", element_entries, "of an element segment"},
      {"imports", imports, "of a module"},
      {"exports", exports, "of a module"},
      {"parameters", parameters, "of a function type"},
      {"results", results, "of a function type"},
      {"memory_pages", memory_pages, "of 64KiB to start with"},
      {"constant_operands", constant_operands, "on the stack of a constant expression"},
      {"constant_instructions", constant_instructions, "of a constant expression"},
      {"image_bytes", image_bytes, "of initial memory that segments fill, in pages of 4KiB"},
      {"generated_bytes", kGeneratedBytesMax, "of C that wasm2c makes of a module"},
      {"tool_cpu_seconds", cpu_seconds, "of each process of a tool"},
      {"tool_memory_bytes", memory_bytes, "of addresses of each process of a tool"},
      {"tool_file_bytes", file_bytes, "of each file that a tool writes"},
      {"tool_processes", processes, "of a tool at a time (not where nurc runs as root)"},
      {"tool_wall_seconds", static_cast<std::uint64_t>(wall.count() / 1000), "of a tool"},
  };
}

std::string limits_text() {
  std::string text = "Limits. A module that has more, or that a tool needs more for, is refused:\n";
  for (const NamedLimit& limit : named_limits()) {
    const bool bytes = limit.name.ends_with("_bytes");
    text +=
        fmt::format("  {:<22}{:>11}  {}\n", limit.name,
                    bytes ? format_size(limit.value) : std::to_string(limit.value), limit.meaning);
  }
  return text;
}

}  // namespace nur
