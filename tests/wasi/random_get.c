#include "wasi.h"

void test(void) {
  static char a[1000];
  static char b[1000];
  expect(success, random_get(a, sizeof a));
  expect(success, random_get(b, sizeof b));
  check(!same(a, b, sizeof a));
  expect(success, random_get(a, 0));
  expect(fault, random_get(outside, 100));
}
