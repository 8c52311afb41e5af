// What decides the object that a unit becomes, as a key for the object cache.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "compiler/subprocess.h"
#include "compiler/toolchain.h"
#include "compiler/translate.h"

namespace nur {

// Version of the compiler; place, size and time of it and of the programs behind it. The same for
// all modules of a run. A compiler that does not say where a part is will fail at its work.
std::string compiler_identity(const Toolchain& toolchain, const Interrupt& interrupt);

// What the units of one module have in common: the compiler (`identity`), the header that all
// include with everything that it includes, and the runtime's files. `flags` are those of full
// effort. Errors: those of running the compiler.
Result<std::string> common_key(const CSources& sources, const std::vector<std::string>& flags,
                               std::string_view identity, const Toolchain& toolchain,
                               const Interrupt& interrupt);

// Lower-case hex.
std::string unit_key(std::string_view common, const std::vector<std::string>& flags,
                     std::string_view text);

}  // namespace nur
