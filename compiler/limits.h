// All limits that a compilation holds to, by name: for --help, the manifest and
// docs/hostile-modules.md.
//
// Those of a module are checked while it is read (wasm/limits.h), those of a tool are the kernel's
// to hold (subprocess.h). A structure with a new field does not compile here until it is named.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/subprocess.h"
#include "compiler/wasm/limits.h"

namespace nur {

// What wasm2c may make of one module. The largest known one (ruby.wasm, 16 MB) becomes 187 MB.
inline constexpr std::uint64_t kGeneratedBytesMax = std::uint64_t{512} << 20;

struct NamedLimit {
  std::string_view name;  // "module_bytes"
  std::uint64_t value;
  std::string_view meaning;  // "of a module"
};

std::vector<NamedLimit> named_limits(const ModuleLimits& module = {},
                                     const ProcessLimits& tool = {});

// One line each, for people.
std::string limits_text();

}  // namespace nur
