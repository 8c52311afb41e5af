/* Base64 (RFC 4648): a buffer to text and back. */
#include "kernel.h"

enum { BYTES = 3 << 16, TEXT = BYTES / 3 * 4 };
static uint8_t bytes[BYTES], decoded[BYTES];
static char text[TEXT];
static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static uint8_t values[256];

static void setup(void) {
  uint32_t state = 21;
  for (int i = 0; i < BYTES; ++i) bytes[i] = (uint8_t)(next_random(&state) >> 24);
  for (int i = 0; i < 256; ++i) values[i] = 255;
  for (int i = 0; i < 64; ++i) values[(uint8_t)alphabet[i]] = (uint8_t)i;
}

static size_t encode(const uint8_t* from, size_t count, char* to) {
  size_t out = 0;
  for (size_t i = 0; i + 3 <= count; i += 3) {
    const uint32_t three = ((uint32_t)from[i] << 16) | ((uint32_t)from[i + 1] << 8) | from[i + 2];
    to[out++] = alphabet[three >> 18];
    to[out++] = alphabet[(three >> 12) & 63];
    to[out++] = alphabet[(three >> 6) & 63];
    to[out++] = alphabet[three & 63];
  }
  return out;
}

/* The number of bytes, 0 when a character is none of the alphabet's. */
static size_t decode(const char* from, size_t count, uint8_t* to) {
  size_t out = 0;
  for (size_t i = 0; i + 4 <= count; i += 4) {
    const uint8_t a = values[(uint8_t)from[i]];
    const uint8_t b = values[(uint8_t)from[i + 1]];
    const uint8_t c = values[(uint8_t)from[i + 2]];
    const uint8_t d = values[(uint8_t)from[i + 3]];
    if ((a | b | c | d) & 0xc0) return 0;
    const uint32_t three = ((uint32_t)a << 18) | ((uint32_t)b << 12) | ((uint32_t)c << 6) | d;
    to[out++] = (uint8_t)(three >> 16);
    to[out++] = (uint8_t)(three >> 8);
    to[out++] = (uint8_t)three;
  }
  return out;
}

KERNEL_WORK uint64_t work(uint32_t round) {
  bytes[0] = (uint8_t)round;
  const size_t characters = encode(bytes, BYTES, text);
  const size_t count = decode(text, characters, decoded);
  uint64_t hash = count;
  for (size_t i = 0; i < count; i += 61) hash = mix(hash, decoded[i] ^ (uint64_t)text[i]);
  return hash;
}

KERNEL(200)
