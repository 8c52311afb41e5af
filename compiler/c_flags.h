// The flags of the C compiler, and why each is there.
#pragma once

#include <string>
#include <vector>

#include "base/manifest.h"
#include "compiler/c_units.h"

namespace nur {

struct BuildOptions {
  int optimisation = 2;  // -O0 to -O3
  CpuLevel target_cpu = CpuLevel::v2;
  bool strip = false;  // leave out the table of functions
};

// Everything that decides what the compiler makes of a unit.
std::vector<std::string> c_flags(const BuildOptions& options, Effort effort);

// Those of full effort as one text, for the manifest.
std::string compiler_flags(const BuildOptions& options);

}  // namespace nur
