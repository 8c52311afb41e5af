// Which guest ABI a module speaks, and whether it asks only for what that ABI offers and has what
// it needs. What is offered: runtime/include/nur/imports.def.
#pragma once

#include <optional>

#include "base/manifest.h"
#include "base/result.h"
#include "compiler/wasm/wasm_module.h"

namespace nur {

// `forced` when given. Otherwise by what the module has: imports of nur or an export poll_stream
// make it nur; an exported function _start makes it wasi; an imported function of env or an export
// handle () -> () makes it handle; an exported function over numbers makes it typed.
// Errors: invalid_input, naming what each ABI lacks.
Result<GuestAbi> recognise_abi(const WasmModule& module, std::optional<GuestAbi> forced);

// Imported functions are offered by `abi` with the type they are imported with, other imports are
// memories, and the exports that `abi` needs are there. Errors: not_found for imports that are not
// offered; invalid_input.
Result<void> check_imports(const WasmModule& module, GuestAbi abi);

// The part of check_imports that holds for every ABI: no tables and globals are imported.
// Errors: not_found.
Result<void> check_import_kinds(const WasmModule& module);

}  // namespace nur
