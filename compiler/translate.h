// wasm -> C: wasm2c as a subprocess, then a handful of edits to its output (generated_c.h).
#pragma once

#include "base/file.h"
#include "base/result.h"
#include "compiler/subprocess.h"
#include "compiler/toolchain.h"

namespace nur {

// The C of one module, in the scratch folder: m.c and m.h, with linear memory as
// runtime/guest/nur_memory.h has it.
struct CSources {
  Path folder;
};

// Reads `folder`/module.wasm, which rewrite() has made.
// Errors: invalid_input when wasm2c finds the module invalid; internal when its output is not what
// the edits expect (an unknown wasm2c); those of run_process.
Result<CSources> translate(const Path& folder, const Toolchain& toolchain,
                           const Interrupt& interrupt);

}  // namespace nur
