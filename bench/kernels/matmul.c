/* Product of two square matrices of doubles, rows innermost. */
#include "kernel.h"

enum { N = 192 };
static double a[N][N], b[N][N], c[N][N];

static void setup(void) {
  for (int i = 0; i < N; ++i) {
    for (int j = 0; j < N; ++j) {
      a[i][j] = (double)((i * j + 1) % N) / N;
      b[i][j] = (double)((i * (j + 2)) % N) / N;
    }
  }
}

KERNEL_WORK uint64_t work(uint32_t round) {
  const double beta = 1.0 + (double)(round & 3);
  for (int i = 0; i < N; ++i) {
    for (int j = 0; j < N; ++j) c[i][j] = beta;
    for (int k = 0; k < N; ++k) {
      for (int j = 0; j < N; ++j) c[i][j] += a[i][k] * b[k][j];
    }
  }
  uint64_t hash = 0;
  for (int i = 0; i < N; ++i) hash = mix_double(hash, c[i][(i * 7) % N]);
  return hash;
}

KERNEL(16)
