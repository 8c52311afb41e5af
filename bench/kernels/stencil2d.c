/* Five-point Jacobi steps on a plane of doubles. */
#include "kernel.h"

enum { N = 250, STEPS = 20 };
static double a[N][N], b[N][N];

static void setup(void) {}

static void start(uint32_t round) {
  for (int i = 0; i < N; ++i) {
    for (int j = 0; j < N; ++j) {
      a[i][j] = ((double)i * (j + 2) + 2 + (round & 7)) / N;
      b[i][j] = ((double)i * (j + 3) + 3) / N;
    }
  }
}

static void step(double (*to)[N], double (*from)[N]) {
  for (int i = 1; i < N - 1; ++i) {
    for (int j = 1; j < N - 1; ++j) {
      to[i][j] =
          0.2 * (from[i][j] + from[i][j - 1] + from[i][j + 1] + from[i + 1][j] + from[i - 1][j]);
    }
  }
}

KERNEL_WORK uint64_t work(uint32_t round) {
  start(round);
  for (int t = 0; t < STEPS; ++t) {
    step(b, a);
    step(a, b);
  }
  uint64_t hash = 0;
  for (int i = 0; i < N; ++i) hash = mix_double(hash, a[i][(i * 3) % N]);
  return hash;
}

KERNEL(30)
