#include <array>

#include "base/manifest.h"

namespace nur {
namespace {

constexpr std::array<std::string_view, 4> kNames{"x86-64-v1", "x86-64-v2", "x86-64-v3",
                                                 "x86-64-v4"};
constexpr std::size_t kPrefixBytes = std::string_view("x86-64-").size();

// Each level adds to the one below it. The compiler's run-time check knows of AVX and AVX-512 only
// when the kernel saves their registers (XCR0), which is what the psABI asks for with OSXSAVE.
bool has_v2() {
  return __builtin_cpu_supports("cmpxchg16b") && __builtin_cpu_supports("lahf_lm") &&
         __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("sse3") &&
         __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("sse4.1") &&
         __builtin_cpu_supports("sse4.2");
}

bool has_v3() {
  return __builtin_cpu_supports("avx") && __builtin_cpu_supports("avx2") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("f16c") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("lzcnt") && __builtin_cpu_supports("movbe") &&
         __builtin_cpu_supports("osxsave");
}

bool has_v4() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}

}  // namespace

std::string_view to_string(CpuLevel level) { return kNames[static_cast<std::size_t>(level) - 1]; }

std::optional<CpuLevel> cpu_level_from(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i] || name == kNames[i].substr(kPrefixBytes)) {
      return static_cast<CpuLevel>(i + 1);
    }
  }
  return std::nullopt;
}

CpuLevel cpu_level_here() {
  if (!has_v2()) return CpuLevel::v1;
  if (!has_v3()) return CpuLevel::v2;
  return has_v4() ? CpuLevel::v4 : CpuLevel::v3;
}

}  // namespace nur
