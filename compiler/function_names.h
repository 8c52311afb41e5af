// From native addresses back to wasm functions, for naming traps and who led to them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_table.h"
#include "base/result.h"

namespace nur {

// What the module knows about its functions.
struct FunctionNames {
  // By function index: from the name section, or what an unnamed one is exported as.
  std::map<std::uint32_t, std::string> names;
  std::vector<std::uint32_t> entries;  // function index of each entry (exported function)
  std::optional<std::uint32_t> start;  // the start function's index
};

// Reads the symbols and the frame information of a linked but not yet stripped object. wasm2c calls
// the function with index 7 w2c_m_f7, an exported one w2c_m_e<entry>_<n> and what the host calls
// for it w2c_m_e<entry>; the compiler adds suffixes for parts it splits off. Functions of the
// runtime have no index. Errors: internal when `elf` cannot be read.
Result<std::vector<NativeFunction>> native_functions(std::string_view elf,
                                                     const FunctionNames& functions);

}  // namespace nur
