// wasm -> C: wasm2c as a subprocess, a handful of edits to its output, and units of it that can be
// compiled side by side.
#pragma once

#include <cstdint>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "compiler/c_units.h"
#include "compiler/subprocess.h"
#include "compiler/toolchain.h"

namespace nur {

struct SourceUnit {
  std::string source;  // in the folder: "m3.c"
  std::uint64_t bytes = 0;
  Effort effort = Effort::full;
};

// The C of one module, in the scratch folder: m.h, m-impl.h, which all units include, and the units
// themselves, with linear memory as runtime/guest/nur_memory.h has it.
struct CSources {
  Path folder;
  std::vector<SourceUnit> units;  // at least one
};

// Reads `folder`/module.wasm, which rewrite() has made.
// Errors: invalid_input when wasm2c finds the module invalid; internal when its output is not what
// the edits expect (an unknown wasm2c); those of run_process.
Result<CSources> translate(const Path& folder, const Toolchain& toolchain,
                           const Interrupt& interrupt);

}  // namespace nur
