// What a module can import here: the module `spectest` that the specification's tests expect, and
// the exports of modules that a script has registered.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/manifest.h"
#include "base/result.h"
#include "compiler/wasm/wasm_module.h"
#include "nur/abi.h"

namespace nur::spec {

class LiveModule;

struct External {
  ExternalKind kind = ExternalKind::function;

  FunctionType type;  // of functions
  LiveModule* owner =
      nullptr;  // whose function it is; null for those of spectest, which do nothing
  std::uint32_t entry = 0;

  ValueType value_type = ValueType::i32;  // of globals, and elements of tables
  bool is_mutable = false;
  nur_value value{};  // of a global, now

  SizeLimits limits;  // of tables and memories; `initial` is the size now
};

// What a module asks for, in the same terms.
External wanted_by(const WasmModule& module, const WasmImport& import);

// Whether `given` may stand where `wanted` is asked for (specification 4.5.4, import matching).
bool is_compatible(const External& given, const External& wanted);

// Errors: not_found for names that spectest has not.
Result<External> find_in_spectest(std::string_view name);

// Finds what an import names. Errors: not_found.
using Resolver = std::function<Result<External>(const WasmImport& import, const External& wanted)>;

}  // namespace nur::spec
