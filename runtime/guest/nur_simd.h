/* Vectors for generated code: loads and stores from linear memory, and the operations that simde
 * 0.7.4 does otherwise than WebAssembly wants. nurc puts an #include of this file into wasm2c's
 * output, behind simde's header, when the module uses vectors (compiler/generated_c.cc).
 */
#ifndef NUR_SIMD_H_
#define NUR_SIMD_H_

/* What follows in the generated file are functions that hand MEM_ADDR to a load or store: it
 * becomes the address in linear memory, as nur_memory.h has it. */
#undef MEM_ADDR
#define MEM_ADDR(mem, address, bytes) (address)
#if !defined(__clang__)
#undef SIMD_FORCE_READ
#define SIMD_FORCE_READ(value)
#endif

#define NUR_VECTOR_OF(lane) __attribute__((vector_size(16))) lane

static inline simde_v128_t nur_v128_load(u64 address) { return NUR_AT(simde_v128_t, address); }

static inline void nur_v128_store(u64 address, simde_v128_t value) {
  NUR_AT(simde_v128_t, address) = value;
}

#define NUR_DEFINE_LANES(bits, lane)                                                             \
  static inline simde_v128_t nur_v128_load##bits##_lane(u64 address, simde_v128_t vector,        \
                                                        int number) {                            \
    NUR_VECTOR_OF(lane) lanes = (NUR_VECTOR_OF(lane))vector;                                     \
    lanes[number] = NUR_AT(lane, address);                                                       \
    return (simde_v128_t)lanes;                                                                  \
  }                                                                                              \
  static inline void nur_v128_store##bits##_lane(u64 address, simde_v128_t vector, int number) { \
    NUR_AT(lane, address) = ((NUR_VECTOR_OF(lane))vector)[number];                               \
  }                                                                                              \
  static inline simde_v128_t nur_v128_load##bits##_splat(u64 address) {                          \
    const lane loaded = NUR_AT(lane, address);                                                   \
    return (simde_v128_t)(loaded - (NUR_VECTOR_OF(lane)){0});                                    \
  }

NUR_DEFINE_LANES(8, u8)
NUR_DEFINE_LANES(16, u16)
NUR_DEFINE_LANES(32, u32)
NUR_DEFINE_LANES(64, u64)

static inline simde_v128_t nur_v128_load32_zero(u64 address) {
  return (simde_v128_t)(NUR_VECTOR_OF(u32)){NUR_AT(u32, address)};
}

static inline simde_v128_t nur_v128_load64_zero(u64 address) {
  return (simde_v128_t)(NUR_VECTOR_OF(u64)){NUR_AT(u64, address)};
}

#define NUR_DEFINE_EXTENDING_LOAD(name, extend)                          \
  static inline simde_v128_t nur_##name(u64 address) {                   \
    return (simde_v128_t)extend((__m128i)nur_v128_load64_zero(address)); \
  }

NUR_DEFINE_EXTENDING_LOAD(i16x8_load8x8, _mm_cvtepi8_epi16)
NUR_DEFINE_EXTENDING_LOAD(u16x8_load8x8, _mm_cvtepu8_epi16)
NUR_DEFINE_EXTENDING_LOAD(i32x4_load16x4, _mm_cvtepi16_epi32)
NUR_DEFINE_EXTENDING_LOAD(u32x4_load16x4, _mm_cvtepu16_epi32)
NUR_DEFINE_EXTENDING_LOAD(i64x2_load32x2, _mm_cvtepi32_epi64)
NUR_DEFINE_EXTENDING_LOAD(u64x2_load32x2, _mm_cvtepu32_epi64)

#define simde_wasm_v128_load nur_v128_load
#define simde_wasm_v128_load8_splat nur_v128_load8_splat
#define simde_wasm_v128_load16_splat nur_v128_load16_splat
#define simde_wasm_v128_load32_splat nur_v128_load32_splat
#define simde_wasm_v128_load64_splat nur_v128_load64_splat
#define simde_wasm_i16x8_load8x8 nur_i16x8_load8x8
#define simde_wasm_u16x8_load8x8 nur_u16x8_load8x8
#define simde_wasm_i32x4_load16x4 nur_i32x4_load16x4
#define simde_wasm_u32x4_load16x4 nur_u32x4_load16x4
#define simde_wasm_i64x2_load32x2 nur_i64x2_load32x2
#define simde_wasm_u64x2_load32x2 nur_u64x2_load32x2
#define simde_wasm_v128_load32_zero nur_v128_load32_zero
#define simde_wasm_v128_load64_zero nur_v128_load64_zero
#define simde_wasm_v128_load8_lane nur_v128_load8_lane
#define simde_wasm_v128_load16_lane nur_v128_load16_lane
#define simde_wasm_v128_load32_lane nur_v128_load32_lane
#define simde_wasm_v128_load64_lane nur_v128_load64_lane
#define simde_wasm_v128_store nur_v128_store
#define simde_wasm_v128_store8_lane nur_v128_store8_lane
#define simde_wasm_v128_store16_lane nur_v128_store16_lane
#define simde_wasm_v128_store32_lane nur_v128_store32_lane
#define simde_wasm_v128_store64_lane nur_v128_store64_lane

/* min and max: minps and maxps return their second operand when both are zeros, whatever the signs,
 * so min(+0, -0) depends on the order. Both orders together do not: they differ in zeros of
 * different sign alone, where OR makes -0 and AND makes +0. NaN comes out quiet and canonical, as
 * simde has it (specification 4.3.3, fmin, fmax, with nans_N).
 *
 * q15mulr_sat: a rounded product of Q15 numbers leaves the range for -1 * -1 alone, where pmulhrsw
 * makes -32,768 and WebAssembly 32,767 (specification 4.3.2, iq15mulrsat_s). simde changes results
 * of 32,767 instead.
 */
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
