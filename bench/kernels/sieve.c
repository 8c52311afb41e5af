/* The sieve of Eratosthenes over bytes. */
#include "kernel.h"

enum { N = 1 << 18 };
static uint8_t composite[N];

static void setup(void) {}

KERNEL_WORK uint64_t work(uint32_t round) {
  const uint32_t limit = N - (round & 63);
  for (uint32_t i = 0; i < N; ++i) composite[i] = 0;
  for (uint32_t i = 2; i * i < limit; ++i) {
    if (composite[i]) continue;
    for (uint32_t j = i * i; j < limit; j += i) composite[j] = 1;
  }
  uint64_t primes = 0;
  for (uint32_t i = 2; i < limit; ++i) primes += !composite[i];
  return primes;
}

KERNEL(120)
