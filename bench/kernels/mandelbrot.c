/* The Mandelbrot set, a picture of iteration counts. */
#include "kernel.h"

enum { N = 160, LIMIT = 200 };
static uint8_t picture[N][N];

static void setup(void) {}

static uint32_t iterations(double cr, double ci) {
  double zr = 0;
  double zi = 0;
  uint32_t count = 0;
  while (count < LIMIT && zr * zr + zi * zi <= 4.0) {
    const double next = zr * zr - zi * zi + cr;
    zi = 2.0 * zr * zi + ci;
    zr = next;
    ++count;
  }
  return count;
}

KERNEL_WORK uint64_t work(uint32_t round) {
  uint64_t hash = 0;
  for (int y = 0; y < N; ++y) {
    for (int x = 0; x < N; ++x) {
      picture[y][x] =
          (uint8_t)iterations(2.5 * (x + 0.01 * (round & 7)) / N - 1.8, 2.0 * y / N - 1);
    }
    hash = mix(hash, picture[y][(y * 7) % N]);
  }
  return hash;
}

KERNEL(12)
