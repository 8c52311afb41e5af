// What it takes to make an artefact of a module of the scripts, and to hold nurc against modules
// that it must refuse.
#pragma once

#include "compiler/compile.h"

namespace nur::spec {

struct Workshop {
  const Toolchain& toolchain;
  const Interrupt& interrupt;
  BuildOptions build;
  Path folder;     // scratch
  Path artefacts;  // scratch too, shared by all scripts
};

// nurc's pipeline behind the import policy: `module` of `bytes` into an artefact's file. Two fifths
// of the scripts' modules are the bytes of another one; those are compiled once.
Result<Path> compile_to_file(const WasmModule& module, std::string_view bytes,
                             const Workshop& workshop);

// Whether nurc takes the module, as far as wasm2c; whatever it imports is there. The error is its
// refusal.
Result<void> validate(std::string_view bytes, const Workshop& workshop);

}  // namespace nur::spec
