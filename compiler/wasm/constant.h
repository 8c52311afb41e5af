// Constant expressions: initial values of globals, offsets of segments, elements (specification
// 3.3.10; extended-const adds i32/i64 add, sub and mul).
//
// They are executed while they are read, on a stack of their own. Only imported globals may be
// read; what depends on one has a type but no value.
#pragma once

#include <cstdint>
#include <optional>

#include "base/manifest.h"
#include "base/result.h"
#include "compiler/wasm/limits.h"
#include "compiler/wasm/section_reader.h"

namespace nur {

struct WasmModule;

// Funcref constants hold a function index in `low`; this one is null. Externref ones are null.
inline constexpr std::uint64_t kNullReference = ~std::uint64_t{0};

struct Constant {
  ValueType type = ValueType::i32;
  // The bits, zero-extended. `high` is of v128 only.
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const Constant&) const = default;
};

struct ConstantExpression {
  ValueType type = ValueType::i32;
  // Nothing when it depends on an imported global.
  std::optional<Constant> value;
};

// Reads up to and including `end`. Adds to `module` the features used and the functions referred
// to. Errors: invalid_input when malformed, not constant or not of `type`; limit_exceeded.
Result<ConstantExpression> read_constant(SectionReader& reader, const ModuleLimits& limits,
                                         WasmModule& module, ValueType type);

}  // namespace nur
