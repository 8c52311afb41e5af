// The dynamic segment of an artefact, checked: everything the dynamic loader would act on.
#pragma once

#include <expected>

#include "base/elf_rules.h"
#include "base/elf_segments.h"

namespace nur {

// Applies the rules from `needed` to `unique_symbol`.
std::expected<void, ElfRefusal> check_dynamic(const ElfSegments& segments);

}  // namespace nur
