// What is inside a file: an artefact, or a module before it is compiled.
#pragma once

#include <string>

#include "base/file.h"
#include "base/result.h"
#include "compiler/subprocess.h"
#include "compiler/toolchain.h"

namespace nur {

enum class InspectFormat { text, json };

// For an artefact its manifest and whether this machine would load it; for a module (.wasm) what
// nurc would make of it.
// Errors: not_found; invalid_input when the file is neither, or breaks a rule.
Result<std::string> inspect(const Path& file, InspectFormat format);

}  // namespace nur
