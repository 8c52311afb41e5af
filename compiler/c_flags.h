// The flags of the C compiler, and why each is there.
#pragma once

#include <string>
#include <vector>

#include "base/manifest.h"
#include "compiler/c_units.h"
#include "compiler/toolchain.h"

namespace nur {

// Counts for a profile, or is compiled with one (compiler/profile.h).
enum class ProfileMode { none, generate, use };

struct BuildOptions {
  int optimisation = 2;  // -O0 to -O3
  CpuLevel target_cpu = CpuLevel::v2;
  bool strip = false;  // leave out the table of functions
  ProfileMode profile = ProfileMode::none;
};

// Everything that decides what the compiler makes of a unit, but for its profile.
std::vector<std::string> c_flags(const BuildOptions& options, Effort effort, CompilerFamily family);

// Those of full effort as one text, for the manifest.
std::string compiler_flags(const BuildOptions& options, CompilerFamily family);

}  // namespace nur
