// Rewrites a module so that two engines can be held against each other to the last bit.
//
// Bits of a NaN that arithmetic made are an engine's own choice (specification 4.3.3), and a
// program can store, reinterpret and branch on them. With `canonical_nans` every instruction that
// may make a NaN is followed by a call of a small function that replaces any NaN by the canonical
// one, so that everything behind it is decided by the specification. NaNs of constants, loads, neg,
// abs and copysign stay as they are: their bits are specified.
//
// JavaScript cannot pass vectors at all nor NaNs unchanged. So the module for V8 has one more
// exported function per export, that takes and returns bits as integers, and imports in the same
// manner:
//
//   i32 i64      as they are
//   f32 f64      i32 i64 with the same bits
//   v128         two i64, low half first
//   funcref      no parameter (null); as a result an i32, 1 when it is null
//   externref    as it is; as a result an i32, 1 when it is null
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/wasm/wasm_module.h"

namespace nur::fuzz {

struct Instrumentation {
  bool canonical_nans = true;
  // How many calls and iterations Binaryen's own counter lets a call have; it is 10 in the modules
  // it makes.
  std::uint32_t hang_limit = 10;
  // The lowered functions, and lowered imports.
  bool for_javascript = false;
};

// Names of what is added. No module of Binaryen's has such names.
std::string global_name(std::size_t global);     // a function that returns its bits, lowered
std::string lowered_name(std::size_t exported);  // by number of exported function
inline constexpr char kMemoryName[] = "nur memory";
// What Binaryen calls the function that sets its counter back.
inline constexpr char kHangLimitName[] = "hangLimitInitializer";

// `module` is what read_module made of its bytes and imports functions only. The result calls
// exports as they are numbered in `module`. Errors: invalid_input.
Result<std::string> instrument(const WasmModule& module, const Instrumentation& how);

}  // namespace nur::fuzz
