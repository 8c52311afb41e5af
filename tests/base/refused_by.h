// What the tests of the ELF rules have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/elf_rules.h"
#include "tests/support/craft_artefact.h"
#include "tests/support/elf_patch.h"

namespace nur::test {

// The rule that refuses an ELF file once it is sealed; empty when none does.
inline std::string refused_by(const std::string& elf, CpuLevel cpu = CpuLevel::v1) {
  const auto verified = verify_elf(seal(elf), cpu);
  return verified ? "" : std::string(to_string(verified.error().rule));
}
inline std::string refused_by(const ElfPatch& patch) { return refused_by(patch.bytes()); }
inline std::string refused_by(const ArtefactRecipe& recipe) {
  return refused_by(craft_elf(recipe));
}

inline std::string detail_of(const ArtefactRecipe& recipe) {
  const auto verified = verify_elf(seal(craft_elf(recipe)), CpuLevel::v1);
  return verified ? "" : verified.error().detail;
}

inline ArtefactRecipe linked_with(std::vector<std::string> flags) {
  ArtefactRecipe recipe;
  recipe.link_flags = std::move(flags);
  return recipe;
}

inline ElfPatch good() { return ElfPatch(good_elf()); }

}  // namespace nur::test
