/* The spectral norm of an infinite matrix, by the power method: divisions of small integers. */
#include "kernel.h"

enum { N = 300, STEPS = 5 };
static double u[N], v[N], w[N];

static void setup(void) {}

static double element(int i, int j) { return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1); }

static void multiply(const double* from, double* to) {
  for (int i = 0; i < N; ++i) {
    double sum = 0;
    for (int j = 0; j < N; ++j) sum += element(i, j) * from[j];
    to[i] = sum;
  }
}

static void multiply_transposed(const double* from, double* to) {
  for (int i = 0; i < N; ++i) {
    double sum = 0;
    for (int j = 0; j < N; ++j) sum += element(j, i) * from[j];
    to[i] = sum;
  }
}

KERNEL_WORK uint64_t work(uint32_t round) {
  for (int i = 0; i < N; ++i) u[i] = 1.0 + (double)(round & 7);
  for (int t = 0; t < STEPS; ++t) {
    multiply(u, w);
    multiply_transposed(w, v);
    multiply(v, w);
    multiply_transposed(w, u);
  }
  double uv = 0;
  double vv = 0;
  for (int i = 0; i < N; ++i) {
    uv += u[i] * v[i];
    vv += v[i] * v[i];
  }
  return mix_double(0, __builtin_sqrt(uv / vv));
}

KERNEL(12)
