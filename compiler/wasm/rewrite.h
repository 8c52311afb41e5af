// The module that wasm2c gets in place of the one that was given.
//
// wasm2c derives C identifiers from names of imports and exports, and refuses modules over custom
// sections it does not like; so names become numbers and custom sections go. What the host does
// once for all instances (filling memory from data segments) is done here, and what would trap
// when instantiated is refused here.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/wasm/limits.h"
#include "compiler/wasm/memory_image.h"
#include "compiler/wasm/wasm_module.h"

namespace nur {

// Names in the rewritten module. Index spaces are those of the original.
inline constexpr char kImportModule[] = "h";  // of every import
inline constexpr char kImportPrefix[] = "i";  // i0, i1, ...: number among imported functions
inline constexpr char kExportPrefix[] = "e";  // e0, e1, ...: number among exported functions, which
                                              // is ManifestExport::entry
inline constexpr char kStartExport[] = "s";   // what was the start function

struct RewrittenModule {
  // Imports nothing but functions, exports nothing but functions, has no start function, no custom
  // section and its own memory; active data segments are there and empty.
  std::string bytes;
  std::vector<ImageRun> image;
};

// Errors: not_found for imported tables and globals; invalid_input for segments that do not fit;
// limit_exceeded for the image.
Result<RewrittenModule> rewrite(const WasmModule& module, const ModuleLimits& limits = {});

}  // namespace nur
