#include "compiler/c_flags.h"

#include <algorithm>
#include <span>
#include <string_view>

#include <fmt/format.h>

namespace nur {
namespace {

struct Flag {
  std::string_view text;
  bool gcc_only = false;
};
constexpr bool kGccOnly = true;

// Nothing here may be left out without running the spec suite again (docs/ARCHITECTURE.md).
constexpr Flag kConformanceFlags[] = {
    {"-fno-optimize-sibling-calls"},  // a deep recursion must end as a stack overflow
    {"-frounding-math"},              // no folding that depends on the rounding mode
    {"-fsignaling-nans", kGccOnly},   // NaNs are quietened where wasm says so
    {"-ffp-contract=off"},            // a*b+c is two roundings
    {"-fno-math-errno"},              // sqrt and friends are instructions
    {"-fno-strict-aliasing"},         // linear memory is bytes
    {"-fwrapv"},                      // pointer and signed arithmetic of generated code wraps
    // A load whose value nobody uses traps all the same (runtime/guest/nur_memory.h).
    {"-fexceptions"},
    {"-fnon-call-exceptions", kGccOnly},
    {"-fno-delete-dead-exceptions", kGccOnly},
    // Would move a load to where its value is used, past where it must trap.
    {"-fno-tree-sink", kGccOnly},
    // Addresses of linear memory are numbers, 0 among them: the compiler must not reason that what
    // is computed from a comparison, or is 0, points to nothing, so that nobody reads what is
    // stored.
    {"-fno-tree-pta", kGccOnly},
    {"-fno-delete-null-pointer-checks"},
    // Of two stores to the same constant address of linear memory, one under a condition, gcc 12
    // makes an address that its next pass dies of (a segmentation fault in forwprop).
    {"-fno-tree-cselim", kGccOnly},
};

constexpr Flag kSandboxFlags[] = {
    {"-fPIC"},
    {"-fvisibility=hidden"},
    {"-fno-plt"},
    {"-fno-stack-protector"},          // its canary is thread-local
    {"-fstack-clash-protection"},      // no frame steps over the guard pages
    {"-fasynchronous-unwind-tables"},  // for .nur.functions; none of it is loaded (wasm-rt.h)
    {"-fno-ident"},
    {"-ffunction-sections"},
    {"-fno-tree-loop-distribute-patterns", kGccOnly},  // memset must not become a call of memset
    {"-frandom-seed=nur", kGccOnly},
};

// What stands for the flags that clang has not.
constexpr Flag kClangFlags[] = {
    {"-ffp-model=strict"},  // NaNs are quietened where wasm says so, nothing is folded away
    {"-ffp-contract=off"},  // behind it, or it brings back what it thinks of that
    {"-fno-builtin"},       // no call of memset or of libm that nobody wrote
};

// What pays on the kernels of bench/compute beyond -O2, at less cost than -O3
// (docs/measurements.md).
constexpr Flag kSpeedFlags[] = {
    {"-fsplit-paths", kGccOnly},
    {"-funroll-loops"},
    {"--param=max-unroll-times=2", kGccOnly},
};
constexpr int kSpeedLevel = 2;  // from -O2 on

int level_for(int asked, Effort effort) {
  switch (effort) {
    case Effort::full:
      return asked;
    case Effort::reduced:
      return std::min(asked, 1);
    case Effort::least:
      return 0;
  }
  return asked;
}

}  // namespace

std::vector<std::string> c_flags(const BuildOptions& options, Effort effort,
                                 CompilerFamily family) {
  const int level = level_for(options.optimisation, effort);
  std::vector<std::string> flags{"-std=gnu11", fmt::format("-O{}", level),
                                 fmt::format("-march={}", to_string(options.target_cpu))};
  const auto add = [&](std::span<const Flag> more) {
    for (const Flag& flag : more) {
      if (!flag.gcc_only || family == CompilerFamily::gcc) flags.emplace_back(flag.text);
    }
  };
  add(kConformanceFlags);
  add(kSandboxFlags);
  if (family == CompilerFamily::clang) add(kClangFlags);
  if (level >= kSpeedLevel) add(kSpeedFlags);
  return flags;
}

std::string compiler_flags(const BuildOptions& options, CompilerFamily family) {
  std::string text;
  for (const std::string& flag : c_flags(options, Effort::full, family)) {
    text += (text.empty() ? "" : " ") + flag;
  }
  return text;
}

}  // namespace nur
