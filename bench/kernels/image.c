/* A picture of floats: brightness of its pixels, then a blur, first along rows, then along columns.
 */
#include "kernel.h"

enum { WIDTH = 256, HEIGHT = 192 };
static float red[HEIGHT][WIDTH], green[HEIGHT][WIDTH], blue[HEIGHT][WIDTH];
static float grey[HEIGHT][WIDTH], rows[HEIGHT][WIDTH], blurred[HEIGHT][WIDTH];

static void setup(void) {
  uint32_t state = 31;
  for (int y = 0; y < HEIGHT; ++y) {
    for (int x = 0; x < WIDTH; ++x) {
      const uint32_t pixel = next_random(&state);
      red[y][x] = (float)(pixel & 255) / 255;
      green[y][x] = (float)((pixel >> 8) & 255) / 255;
      blue[y][x] = (float)((pixel >> 16) & 255) / 255;
    }
  }
}

static void brightness(void) {
  for (int y = 0; y < HEIGHT; ++y) {
    for (int x = 0; x < WIDTH; ++x) {
      grey[y][x] = 0.299f * red[y][x] + 0.587f * green[y][x] + 0.114f * blue[y][x];
    }
  }
}

static void blur(void) {
  for (int y = 0; y < HEIGHT; ++y) {
    for (int x = 2; x < WIDTH - 2; ++x) {
      rows[y][x] = 0.375f * grey[y][x] + 0.25f * (grey[y][x - 1] + grey[y][x + 1]) +
                   0.0625f * (grey[y][x - 2] + grey[y][x + 2]);
    }
  }
  for (int y = 2; y < HEIGHT - 2; ++y) {
    for (int x = 2; x < WIDTH - 2; ++x) {
      blurred[y][x] = 0.375f * rows[y][x] + 0.25f * (rows[y - 1][x] + rows[y + 1][x]) +
                      0.0625f * (rows[y - 2][x] + rows[y + 2][x]);
    }
  }
}

KERNEL_WORK uint64_t work(uint32_t round) {
  red[9][9] = (float)(round & 7);
  brightness();
  blur();
  uint64_t hash = 0;
  for (int y = 2; y < HEIGHT - 2; ++y) {
    hash = mix_double(hash, (double)blurred[y][2 + (y * 7) % (WIDTH - 4)]);
  }
  return hash;
}

KERNEL(400)
