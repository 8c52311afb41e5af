/* Product of two square matrices of doubles, four rows of the second at a time. */
#include "kernel.h"

enum { N = 192, BLOCK = 4 };
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
    for (int k = 0; k < N; k += BLOCK) {
      const double a0 = a[i][k];
      const double a1 = a[i][k + 1];
      const double a2 = a[i][k + 2];
      const double a3 = a[i][k + 3];
      for (int j = 0; j < N; ++j) {
        c[i][j] += a0 * b[k][j] + a1 * b[k + 1][j] + a2 * b[k + 2][j] + a3 * b[k + 3][j];
      }
    }
  }
  uint64_t hash = 0;
  for (int i = 0; i < N; ++i) hash = mix_double(hash, c[i][(i * 7) % N]);
  return hash;
}

KERNEL(32)
