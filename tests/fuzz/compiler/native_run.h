// One module through nurc's pipeline, the host's loader and the sandbox.
#pragma once

#include <string>

#include "base/file.h"
#include "compiler/compile.h"
#include "tests/fuzz/compiler/plan.h"

namespace nur::fuzz {

// Loads an artefact and calls everything in `plan`, in a process of its own: one that dies or does
// not end is seen as such. `folder` is scratch. The transcript's text. Errors: what the loader or
// the sandbox refuses; exhausted; internal.
Result<std::string> run_native(const Path& artefact, const CallPlan& plan, const Path& folder);

// A result that is deliberately wrong, for tests of the fuzzer itself: the lowest bit of the first
// result of every call is the other one.
inline constexpr char kPlantedDefectVariable[] = "NUR_FUZZ_PLANT_DEFECT";

}  // namespace nur::fuzz
