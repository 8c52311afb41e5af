#include "host/sandbox/restore.h"

#include <cstring>
#include <immintrin.h>

namespace nur {
namespace {

constexpr std::size_t kLineBytes = 64;

void restore_with_sse2(std::byte* to, const std::byte* from, std::size_t bytes) {
  const __m128i zero = _mm_setzero_si128();
  for (std::size_t at = 0; at < bytes; at += kLineBytes) {
    auto* const line = reinterpret_cast<__m128i*>(to + at);
    const auto* const pristine = reinterpret_cast<const __m128i*>(from + at);
    __m128i wanted[4];
    __m128i equal = _mm_set1_epi8(-1);
    for (int i = 0; i < 4; ++i) {
      wanted[i] = from == nullptr ? zero : _mm_loadu_si128(pristine + i);
      equal = _mm_and_si128(equal, _mm_cmpeq_epi8(_mm_load_si128(line + i), wanted[i]));
    }
    if (_mm_movemask_epi8(equal) == 0xffff) continue;
    for (int i = 0; i < 4; ++i) _mm_store_si128(line + i, wanted[i]);
  }
}

__attribute__((target("avx2"))) void restore_with_avx2(std::byte* to, const std::byte* from,
                                                       std::size_t bytes) {
  const __m256i zero = _mm256_setzero_si256();
  for (std::size_t at = 0; at < bytes; at += kLineBytes) {
    auto* const line = reinterpret_cast<__m256i*>(to + at);
    const auto* const pristine = reinterpret_cast<const __m256i*>(from + at);
    const __m256i low = from == nullptr ? zero : _mm256_loadu_si256(pristine);
    const __m256i high = from == nullptr ? zero : _mm256_loadu_si256(pristine + 1);
    const __m256i differs = _mm256_or_si256(_mm256_xor_si256(_mm256_load_si256(line), low),
                                            _mm256_xor_si256(_mm256_load_si256(line + 1), high));
    if (_mm256_testz_si256(differs, differs) != 0) continue;
    _mm256_store_si256(line, low);
    _mm256_store_si256(line + 1, high);
  }
}

}  // namespace

void restore_changed(std::byte* to, const std::byte* from, std::size_t bytes) {
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  if (has_avx2) {
    restore_with_avx2(to, from, bytes);
  } else {
    restore_with_sse2(to, from, bytes);
  }
}

}  // namespace nur
