// C -> objects: the units of a module, side by side, those compiled before from the cache.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/build_services.h"
#include "compiler/c_flags.h"
#include "compiler/subprocess.h"
#include "compiler/toolchain.h"
#include "compiler/translate.h"

namespace nur {

// Compiles the units of `sources` and entry.c, largest first. Returns the names of the objects in
// the folder, in the order in which they are to be linked, which depends on nothing but the units.
// Errors: those of run_trusted_process, of the first unit in that order that failed; no unit is
// begun after one has failed.
Result<std::vector<std::string>> compile_units(const CSources& sources, const BuildOptions& options,
                                               const Toolchain& toolchain,
                                               const Interrupt& interrupt,
                                               const BuildServices& services);

}  // namespace nur
