// Linking for the scripts, by rewriting: nur itself offers guests functions and nothing else, so a
// module that imports globals, tables or memories is given its own instead.
//
// Imported globals become defined ones with the value the exporter's has at this moment, at the
// same indices, and expressions that read them hold the value; imported tables and memories become
// own ones of the exporter's present size, without its contents. So what a script shows of sharing
// such state between living modules does not apply here (skips.txt); all else about imports does.
//
// Every exported global gets a function that returns it, for the script's `get`.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "tests/spec/externals.h"

namespace nur::spec {

// Name of the function that returns the exported global `name`. No script has such a name.
std::string getter_name(std::string_view name);

struct LinkedModule {
  std::string bytes;                // imports functions only
  std::vector<External> functions;  // by number of import
};

// `module` is what read_module made of its bytes. Errors, with the scripts' words in front:
// not_found "unknown import"; invalid_input "incompatible import type".
Result<LinkedModule> link(const WasmModule& module, const Resolver& resolve);

}  // namespace nur::spec
