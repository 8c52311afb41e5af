/* Seven-point heat steps in a cube of doubles. */
#include "kernel.h"

enum { N = 40, STEPS = 10 };
static double a[N][N][N], b[N][N][N];

static void setup(void) {}

static void start(uint32_t round) {
  for (int i = 0; i < N; ++i) {
    for (int j = 0; j < N; ++j) {
      for (int k = 0; k < N; ++k) {
        a[i][j][k] = b[i][j][k] = (double)(i + j + (N - k) + (int)(round & 7)) * 10 / N;
      }
    }
  }
}

static void step(double (*to)[N][N], double (*from)[N][N]) {
  for (int i = 1; i < N - 1; ++i) {
    for (int j = 1; j < N - 1; ++j) {
      for (int k = 1; k < N - 1; ++k) {
        to[i][j][k] = 0.125 * (from[i + 1][j][k] - 2.0 * from[i][j][k] + from[i - 1][j][k]) +
                      0.125 * (from[i][j + 1][k] - 2.0 * from[i][j][k] + from[i][j - 1][k]) +
                      0.125 * (from[i][j][k + 1] - 2.0 * from[i][j][k] + from[i][j][k - 1]) +
                      from[i][j][k];
      }
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
  for (int i = 0; i < N; ++i) hash = mix_double(hash, a[i][(i * 3) % N][(i * 7) % N]);
  return hash;
}

KERNEL(40)
