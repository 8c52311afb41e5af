/* LZ77 compression with a hash table of positions, and its inverse, over text with repetitions. */
#include "kernel.h"

enum { BYTES = 1 << 17, SLOTS = 1 << 13, WINDOW = 1 << 15, SHORTEST = 4, LONGEST = 255 };
static uint8_t text[BYTES], packed[BYTES * 2], unpacked[BYTES];
static uint32_t latest[SLOTS]; /* position + 1 of a place with that hash */

static const char* const words[] = {"the ",   "request ", "of ",     "a ",     "function ",
                                    "was ",   "served ",  "by ",     "host ",  "memory ",
                                    "and ",   "answer ",  "within ", "time ",  "sandbox ",
                                    "after ", "module ",  "is ",     "read\n", "again "};

static void setup(void) {
  uint32_t state = 17;
  for (size_t at = 0; at < BYTES;) {
    const char* word = words[next_random(&state) % (sizeof(words) / sizeof(words[0]))];
    while (*word != 0 && at < BYTES) text[at++] = (uint8_t)*word++;
    if (next_random(&state) % 16 == 0 && at < BYTES) text[at++] = (uint8_t)next_random(&state);
  }
}

static uint32_t four(const uint8_t* at) {
  return at[0] | ((uint32_t)at[1] << 8) | ((uint32_t)at[2] << 16) | ((uint32_t)at[3] << 24);
}

static size_t match_length(const uint8_t* a, const uint8_t* b, size_t limit) {
  size_t length = 0;
  while (length < limit && a[length] == b[length]) ++length;
  return length;
}

/* literals: 0, byte; match: length, distance in two bytes. */
static size_t compress(const uint8_t* from, size_t count, uint8_t* to) {
  size_t out = 0;
  for (size_t i = 0; i < SLOTS; ++i) latest[i] = 0;
  for (size_t at = 0; at < count;) {
    size_t length = 0;
    size_t distance = 0;
    if (at + SHORTEST <= count) {
      const uint32_t slot = (four(from + at) * 2654435761u) >> 19;
      const size_t candidate = latest[slot];
      latest[slot] = (uint32_t)at + 1;
      if (candidate != 0 && at + 1 - candidate < WINDOW) {
        distance = at + 1 - candidate;
        const size_t rest = count - at;
        length = match_length(from + at, from + at - distance, rest < LONGEST ? rest : LONGEST);
      }
    }
    if (length >= SHORTEST) {
      to[out++] = (uint8_t)length;
      to[out++] = (uint8_t)distance;
      to[out++] = (uint8_t)(distance >> 8);
      at += length;
    } else {
      to[out++] = 0;
      to[out++] = from[at++];
    }
  }
  return out;
}

static size_t decompress(const uint8_t* from, size_t count, uint8_t* to) {
  size_t out = 0;
  for (size_t at = 0; at < count;) {
    const size_t length = from[at];
    if (length == 0) {
      to[out++] = from[at + 1];
      at += 2;
    } else {
      const size_t distance = from[at + 1] | ((size_t)from[at + 2] << 8);
      for (size_t i = 0; i < length; ++i, ++out) to[out] = to[out - distance];
      at += 3;
    }
  }
  return out;
}

KERNEL_WORK uint64_t work(uint32_t round) {
  text[0] = (uint8_t)round;
  const size_t size = compress(text, BYTES, packed);
  const size_t back = decompress(packed, size, unpacked);
  uint64_t hash = mix(size, back);
  for (size_t i = 0; i < back; i += 61) hash = mix(hash, unpacked[i]);
  return hash;
}

KERNEL(80)
