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

// What the units of one module have in common: the compiler and its parts, the header that all
// include with everything that it includes, and the runtime's files. `flags` are those of full
// effort. Errors: those of running the compiler.
Result<std::string> common_key(const CSources& sources, const std::vector<std::string>& flags,
                               const Toolchain& toolchain, const Interrupt& interrupt);

// Lower-case hex.
std::string unit_key(std::string_view common, const std::vector<std::string>& flags,
                     std::string_view text);

}  // namespace nur
