/* LU decomposition without pivoting, in place, of a diagonally dominant matrix. */
#include "kernel.h"

enum { N = 180 };
static double input[N][N], a[N][N];

static void setup(void) {
  uint32_t state = 1;
  for (int i = 0; i < N; ++i) {
    for (int j = 0; j < N; ++j) input[i][j] = (double)(next_random(&state) % 1000) / 1000;
    input[i][i] += N;
  }
}

KERNEL_WORK uint64_t work(uint32_t round) {
  __builtin_memcpy(a, input, sizeof(a));
  a[0][0] += (double)(round & 7);
  for (int i = 0; i < N; ++i) {
    for (int j = 0; j < i; ++j) {
      for (int k = 0; k < j; ++k) a[i][j] -= a[i][k] * a[k][j];
      a[i][j] /= a[j][j];
    }
    for (int j = i; j < N; ++j) {
      for (int k = 0; k < i; ++k) a[i][j] -= a[i][k] * a[k][j];
    }
  }
  uint64_t hash = 0;
  for (int i = 0; i < N; ++i) hash = mix_double(hash, a[i][(i * 7) % N]);
  return hash;
}

KERNEL(24)
