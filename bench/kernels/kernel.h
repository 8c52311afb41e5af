/* What the kernels of ./dev bench compute have in common. Each is one file of C or C++ without a
 * library, compiled to WebAssembly and to native code, and ends with KERNEL(rounds), which defines
 *
 *   kernel_setup(void)      fills the inputs; once, before the first run
 *   kernel_rounds(void)     how many rounds a measurement takes (50 to 150 ms)
 *   kernel_run(rounds)      does the work that many times and returns a checksum of the results
 *
 * from the kernel's own setup() and work(round). The same rounds give the same checksum, every time
 * and in every build: nothing here may depend on the compiler (no fused multiply-add, no int of
 * another width, no undefined behaviour).
 */
#ifndef NUR_BENCH_KERNEL_H_
#define NUR_BENCH_KERNEL_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __wasm__
#define KERNEL_EXPORT(name) __attribute__((export_name(#name)))
#else
#define KERNEL_EXPORT(name) __attribute__((visibility("default")))
#endif
#ifdef __cplusplus
#define KERNEL_C extern "C"
#else
#define KERNEL_C
#endif

/* Apart from kernel_run(), so that no compiler moves the work out of the loop over rounds. */
#define KERNEL_WORK __attribute__((noinline)) static

static inline uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
  return hash ^ (hash >> 29);
}

static inline uint64_t mix_double(uint64_t hash, double value) {
  uint64_t bits;
  __builtin_memcpy(&bits, &value, sizeof(bits));
  return mix(hash, bits);
}

/* xorshift32: the inputs of all kernels. `state` is not zero. */
static inline uint32_t next_random(uint32_t* state) {
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

#define KERNEL(rounds)                                                              \
  KERNEL_C KERNEL_EXPORT(kernel_setup) void kernel_setup(void) { setup(); }         \
  KERNEL_C KERNEL_EXPORT(kernel_rounds)                                             \
  uint32_t kernel_rounds(void) { return rounds; }                                   \
  KERNEL_C KERNEL_EXPORT(kernel_run)                                                \
  uint64_t kernel_run(uint32_t count) {                                             \
    uint64_t hash = count;                                                          \
    for (uint32_t round = 0; round < count; ++round) hash = mix(hash, work(round)); \
    return hash;                                                                    \
  }

#endif /* NUR_BENCH_KERNEL_H_ */
