// From native addresses back to wasm functions, for naming traps.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/artefact_file.h"
#include "base/result.h"

namespace nur {

// What the module knows about its functions.
struct FunctionNames {
  std::map<std::uint32_t, std::string> names;  // by function index, from the name section
  std::vector<std::uint32_t> entries;          // function index of each entry (exported function)
  std::optional<std::uint32_t> start;          // the start function's index
};

// Reads the symbols of a linked but not yet stripped object. wasm2c calls the function with index 7
// w2c_m_f7, an exported one w2c_m_e<entry>_<n>; the compiler adds suffixes for parts it splits off.
// Functions of the runtime are not listed. Errors: internal when `elf` cannot be read.
Result<std::vector<FunctionRange>> function_ranges(std::string_view elf,
                                                   const FunctionNames& functions);

}  // namespace nur
