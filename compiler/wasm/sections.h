// The sections of a module other than code and custom ones (specification 5.5).
#pragma once

#include "base/result.h"
#include "compiler/wasm/limits.h"
#include "compiler/wasm/section_reader.h"
#include "compiler/wasm/wasm_module.h"

namespace nur {

// Each adds to `module` what its section holds, and reads to the section's end. They rely on the
// sections before theirs. Errors: invalid_input; limit_exceeded.
Result<void> read_type_section(SectionReader& reader, const ModuleLimits& limits,
                               WasmModule& module);
Result<void> read_import_section(SectionReader& reader, const ModuleLimits& limits,
                                 WasmModule& module);
Result<void> read_function_section(SectionReader& reader, const ModuleLimits& limits,
                                   WasmModule& module);
Result<void> read_table_section(SectionReader& reader, const ModuleLimits& limits,
                                WasmModule& module);
Result<void> read_memory_section(SectionReader& reader, const ModuleLimits& limits,
                                 WasmModule& module);
Result<void> read_global_section(SectionReader& reader, const ModuleLimits& limits,
                                 WasmModule& module);
Result<void> read_export_section(SectionReader& reader, const ModuleLimits& limits,
                                 WasmModule& module);
Result<void> read_start_section(SectionReader& reader, WasmModule& module);

}  // namespace nur
