/* Vector operations that simde 0.7.4 does otherwise than WebAssembly wants, and ours in their
 * place. nurc puts an #include of this file into wasm2c's output, behind simde's header, when the
 * module uses vectors (compiler/generated_c.cc).
 *
 * min and max: minps and maxps return their second operand when both are zeros, whatever the signs,
 * so min(+0, -0) depends on the order. Both orders together do not: they differ in zeros of
 * different sign alone, where OR makes -0 and AND makes +0. NaN comes out quiet and canonical, as
 * simde has it (specification 4.3.3, fmin, fmax, with nans_N).
 *
 * q15mulr_sat: a rounded product of Q15 numbers leaves the range for -1 * -1 alone, where pmulhrsw
 * makes -32,768 and WebAssembly 32,767 (specification 4.3.2, iq15mulrsat_s). simde changes results
 * of 32,767 instead.
 */
#ifndef NUR_SIMD_H_
#define NUR_SIMD_H_

#define NUR_DEFINE_VECTOR_MINMAX(name, vector, suffix, joined, nan)                    \
  static inline simde_v128_t nur_##name(simde_v128_t left, simde_v128_t right) {       \
    const vector a = (vector)left;                                                     \
    const vector b = (vector)right;                                                    \
    const vector ordered = _mm_cmpord_##suffix(a, b);                                  \
    const vector number = joined;                                                      \
    return (simde_v128_t)_mm_or_##suffix(_mm_and_##suffix(ordered, number),            \
                                         _mm_andnot_##suffix(ordered, (vector)(nan))); \
  }

NUR_DEFINE_VECTOR_MINMAX(f32x4_min, __m128, ps, _mm_or_ps(_mm_min_ps(a, b), _mm_min_ps(b, a)),
                         _mm_set1_epi32(0x7fc00000))
NUR_DEFINE_VECTOR_MINMAX(f32x4_max, __m128, ps, _mm_and_ps(_mm_max_ps(a, b), _mm_max_ps(b, a)),
                         _mm_set1_epi32(0x7fc00000))
NUR_DEFINE_VECTOR_MINMAX(f64x2_min, __m128d, pd, _mm_or_pd(_mm_min_pd(a, b), _mm_min_pd(b, a)),
                         _mm_set1_epi64x(0x7ff8000000000000))
NUR_DEFINE_VECTOR_MINMAX(f64x2_max, __m128d, pd, _mm_and_pd(_mm_max_pd(a, b), _mm_max_pd(b, a)),
                         _mm_set1_epi64x(0x7ff8000000000000))

static inline simde_v128_t nur_i16x8_q15mulr_sat(simde_v128_t left, simde_v128_t right) {
  const __m128i a = (__m128i)left;
  const __m128i b = (__m128i)right;
  const __m128i product = _mm_mulhrs_epi16(a, b); /* SSSE3: of every target that nurc has */
  return (simde_v128_t)_mm_xor_si128(product, _mm_cmpeq_epi16(product, _mm_set1_epi16(-32768)));
}

#define simde_wasm_i16x8_q15mulr_sat nur_i16x8_q15mulr_sat
#define simde_wasm_f32x4_min nur_f32x4_min
#define simde_wasm_f32x4_max nur_f32x4_max
#define simde_wasm_f64x2_min nur_f64x2_min
#define simde_wasm_f64x2_max nur_f64x2_max

#endif /* NUR_SIMD_H_ */
