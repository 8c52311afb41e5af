// Makes artefacts with the real compiler and linker while a test runs, so that what a rule refuses
// is what the tools make and not what somebody thinks they make.
#pragma once

#include <string>
#include <vector>

#include "base/artefact_file.h"
#include "base/function_table.h"
#include "base/manifest.h"

namespace nur::test {

// The manifest of the module that a plain recipe makes.
Manifest crafted_manifest();

// A module that passes every rule: one export, "add" (i32, i32) -> i32, one page of memory.
std::string crafted_source();

// How to make an artefact; as it stands, a good one.
struct ArtefactRecipe {
  std::string source = crafted_source();               // C, with nur_module
  std::string more_source;                             // C, a translation unit of its own
  std::string assembly;                                // for the assembler, likewise
  std::string manifest = to_json(crafted_manifest());  // without one when empty
  std::vector<std::string> link_flags;                 // after those that nurc uses
  bool shared = true;                                  // linked with -shared; else with -pie
  std::vector<NativeFunction> functions;               // for .nur.functions; no section when empty
};

// The ELF part alone, as it is before seal(). Throws std::runtime_error with what the tools said
// when they fail.
std::string craft_elf(const ArtefactRecipe& recipe);

// The good one, sealed; made once per process.
const std::string& good_artefact();
// The same without its seal.
const std::string& good_elf();

}  // namespace nur::test
