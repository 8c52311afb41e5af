// One module in both engines, from its bytes to a verdict.
#pragma once

#include <cstdint>
#include <string>

#include "compiler/subprocess.h"
#include "compiler/toolchain.h"
#include "tests/fuzz/compiler/recipe.h"
#include "tests/fuzz/compiler/v8_process.h"

namespace nur::fuzz {

struct Verdict {
  enum class Kind {
    agreed,
    not_made,         // wasm-opt made no module of it
    refused_by_v8,    // invalid, or cannot be instantiated
    refused_by_nurc,  // for a feature or a limit that docs name
    nan_dependent,    // differs in what follows from bits of NaNs, and in nothing else
    finding,          // all else
  };
  Kind kind = Kind::agreed;
  std::string reason;  // of everything but agreement
  std::uint64_t calls = 0;
  std::uint64_t traps = 0;
  std::uint64_t incomparable = 0;

  // Of findings.
  std::string nur_transcript;
  std::string v8_transcript;
};
std::string_view to_string(Verdict::Kind kind);

struct Bench {
  const Toolchain& toolchain;
  const Interrupt& interrupt;
  V8Process& v8;
  Path folder;  // scratch
};

// Whether node can do its part at all. Errors: internal, with how it ended.
Result<void> check_v8(const Bench& bench);

// `bytes` is a module as Binaryen makes them; of the recipe only the build, the treatment of NaNs,
// the hang limit and the choice of arguments matter. Errors: when this machine, not the module, is
// the reason (exhausted, interrupted, no node).
Result<Verdict> try_module(std::string_view bytes, const Recipe& recipe, const Bench& bench);

}  // namespace nur::fuzz
