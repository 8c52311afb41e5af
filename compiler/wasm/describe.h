// What an artefact's manifest says of the module it was made from.
#pragma once

#include "base/manifest.h"
#include "compiler/wasm/wasm_module.h"

namespace nur {

// A manifest with imports, exports, memory, tables, has_start and guest_abi set; its other fields
// (digest, versions, target) are the caller's. Imports and entries of exports are numbered as
// rewrite() numbers them.
Manifest describe(const WasmModule& module, GuestAbi abi);

}  // namespace nur
