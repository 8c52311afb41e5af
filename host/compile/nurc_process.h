// nurc as a child: the one beside this program, or else of PATH.
#pragma once

#include <span>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace nur {

// Errors: not_found, saying where it was looked for.
Result<Path> find_nurc();

// Runs it to its end; what it says goes to standard error. Returns whether it exited with 0.
// Errors: internal when it cannot be started.
Result<bool> run_nurc(const Path& nurc, std::span<const std::string> arguments);

}  // namespace nur
