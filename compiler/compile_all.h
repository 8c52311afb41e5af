// Several modules at once, as many side by side as there are jobs.
#pragma once

#include <functional>
#include <vector>

#include "compiler/compile.h"

namespace nur {

// Called once per module, one call at a time, in the order in which they end.
using OnCompiled = std::function<void(const CompileOptions&, const Result<Artefact>&)>;

// Compiles every one of `modules`, whatever becomes of the others; after an interruption the rest
// is not begun. `services` has slots: as many modules are at work at once.
void compile_all(const std::vector<CompileOptions>& modules, const Toolchain& toolchain,
                 const Interrupt& interrupt, const BuildServices& services,
                 const OnCompiled& on_compiled);

}  // namespace nur
