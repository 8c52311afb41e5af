// Modules given to nurhost uncompiled: compiled by nurc when they are first seen, and kept.
//
//   CACHE/modules/KEY.so    KEY: SHA-256 of the module, its ABI, and the version of this program
//
// CACHE is nurc's own ($NUR_CACHE, or nurc below $XDG_CACHE_HOME or ~/.cache), which removes what
// was not used for longest. Whoever can write there decides what is served, so it must be this
// user's. Where there is no such place modules are compiled at every start.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/manifest.h"
#include "base/result.h"

namespace nur {

struct ModuleToCompile {
  Path file;
  std::optional<GuestAbi> abi;  // recognised when not given
};

class CompiledModules {
 public:
  // Errors: invalid_input when the cache is somebody else's; those of making it.
  static Result<CompiledModules> open();

  // One artefact for each module, or why there is none, in their order. What is compiled is said on
  // standard error, and what is wrong with a module, too.
  std::vector<Result<Path>> compile(std::span<const ModuleToCompile> modules);

  // The same of those that were compiled before; the others are refused.
  [[nodiscard]] std::vector<Result<Path>> find(std::span<const ModuleToCompile> modules) const;

 private:
  explicit CompiledModules(Path folder) : folder_(std::move(folder)) {}
  Result<void> compile_batch(const std::map<Path, ModuleToCompile>& batch);
  // Where the artefact of a module is, or will be. Errors: those of read_file.
  [[nodiscard]] Result<Path> place_of(const ModuleToCompile& module) const;

  Path folder_;
  std::optional<ScratchDir> scratch_;  // when nothing can be kept
};

}  // namespace nur
