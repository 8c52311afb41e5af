/* Bulk memory: runs of 32 bytes to 64 KiB moved about in a buffer, and runs of it filled. In
 * WebAssembly each is one instruction (memory.copy, memory.fill), natively a call of the library.
 */
#include "kernel.h"

enum { BYTES = 1 << 18, STEPS = 512 };
static uint8_t buffer[BYTES];
static struct { uint32_t to, from, bytes; } steps[STEPS];

static void setup(void) {
  uint32_t state = 2463534242u;
  for (uint32_t i = 0; i < BYTES; ++i) buffer[i] = (uint8_t)next_random(&state);
  for (uint32_t i = 0; i < STEPS; ++i) {
    /* As many short runs as long ones: 32 << 0 to 32 << 11, and a little more. */
    const uint32_t bytes = (32u << (next_random(&state) % 12)) + (next_random(&state) & 31);
    const uint32_t most = BYTES - bytes;
    steps[i].to = next_random(&state) % most;
    steps[i].from = next_random(&state) % most;
    steps[i].bytes = bytes;
  }
}

KERNEL_WORK uint64_t work(uint32_t round) {
  for (uint32_t i = 0; i < STEPS; ++i) {
    if ((i & 7) == 7) {
      __builtin_memset(buffer + steps[i].to, (int)(round + i), steps[i].bytes);
    } else {
      __builtin_memmove(buffer + steps[i].to, buffer + steps[i].from, steps[i].bytes);
    }
  }
  uint64_t hash = round;
  for (uint32_t i = 0; i < BYTES; i += 4099) hash = mix(hash, buffer[i]);
  return hash;
}

KERNEL(350)
