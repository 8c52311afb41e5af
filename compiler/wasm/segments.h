// Element and data segments (specification 5.5.12 and 5.5.14).
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "compiler/wasm/limits.h"
#include "compiler/wasm/section_reader.h"
#include "compiler/wasm/wasm_module.h"

namespace nur {

// As those of sections.h. `data_count` is what the data count section announced.
Result<void> read_element_section(SectionReader& reader, const ModuleLimits& limits,
                                  WasmModule& module);
Result<std::uint32_t> read_data_count_section(SectionReader& reader, const ModuleLimits& limits);
Result<void> read_data_section(SectionReader& reader, std::optional<std::uint32_t> data_count,
                               const ModuleLimits& limits, WasmModule& module);

}  // namespace nur
