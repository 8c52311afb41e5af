// What is called in a module, with what, in which order: the same for every engine.
//
// Calls come in groups; a group begins with a fresh instance, and so does whatever follows a trap,
// because nur throws an instance away that trapped. Each exported function has a group of its own,
// and one group calls them all in turn.
#pragma once

#include <string>
#include <vector>

#include "base/manifest.h"
#include "compiler/wasm/wasm_module.h"
#include "nur/abi.h"
#include "tests/fuzz/compiler/random.h"

namespace nur::fuzz {

struct PlannedExport {
  std::string name;
  FunctionType type;
};

struct PlannedCall {
  std::size_t exported = 0;  // by number in CallPlan::exports
  std::vector<nur_value> arguments;
};

struct CallPlan {
  std::vector<PlannedExport> exports;       // the module's exported functions
  std::vector<PlannedExport> imports;       // its imported functions
  std::vector<ValueType> globals;           // all of them; each has a getter (instrument.h)
  std::optional<std::size_t> hang_limiter;  // an export, called before every other call
  bool has_memory = false;
  bool has_start = false;
  std::vector<std::vector<PlannedCall>> groups;
};

// Calls with values that tend to be special, chosen by `random`.
CallPlan make_plan(const WasmModule& module, Random random);

// For the script that runs modules in V8 (v8_side.mjs): one line of JSON. `file` is the module
// instrumented for it.
std::string to_json_line(const CallPlan& plan, const std::string& file);

// Bits in hexadecimal behind a letter for the type: i I f F v as i32 i64 f32 f64 v128, most
// significant digit first, and r0 or r1 for a reference, 1 when it is null.
std::string to_word(ValueType type, const nur_value& value);
char letter_of(ValueType type);

}  // namespace nur::fuzz
