// How module number i of a seed is made and compiled: everything about it that is a matter of
// chance.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"
#include "compiler/build_object.h"
#include "tests/fuzz/compiler/random.h"

namespace nur::fuzz {

struct Recipe {
  std::uint64_t seed = 1;
  std::uint64_t number = 0;

  std::size_t input_bytes = 0;        // of random input that Binaryen makes a module of
  std::vector<std::string> features;  // wasm-opt's options
  std::vector<std::string> passes;    // too
  std::size_t initial_bytes = 0;      // of input for a first module that is changed; or 0
  Path initial_file;                  // a first module from elsewhere; or empty
  BuildOptions build;
  bool canonical_nans = true;
  std::uint32_t hang_limit = 10;

  // Streams of random numbers, one for each purpose.
  [[nodiscard]] Random stream(std::uint64_t purpose) const {
    return Random(seed * 0x9e3779b97f4a7c15 + number, purpose);
  }
};

// `native` is the level of this machine; none above it is chosen.
Recipe make_recipe(std::uint64_t seed, std::uint64_t number, CpuLevel native);

// Half of all modules are made from one of `corpus`.
void choose_from_corpus(Recipe& recipe, const std::vector<Path>& corpus);

// The .wasm files of a folder, by name. Errors: not_found when there are none.
Result<std::vector<Path>> read_corpus(const Path& folder);

// For people: "seed=1 module=17 input=2000 ...".
std::string to_string(const Recipe& recipe);

// Runs wasm-opt in `folder`, which is scratch. Errors: those of run_process.
Result<std::string> make_module(const Recipe& recipe, const Path& wasm_opt, const Path& folder,
                                const Interrupt& interrupt);

}  // namespace nur::fuzz
