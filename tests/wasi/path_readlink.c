#include "wasi.h"

void test(void) {
  char target[10];
  u32 used = 0;
  expect(success, path_readlink(ro, path("link"), target, sizeof target, &used));
  check(used == 4 && same(target, "file", 4));
  expect(success, path_readlink(ro, path("link"), target, 2, &used));
  check(used == 2);
  expect(inval, path_readlink(ro, path("file"), target, sizeof target, &used));
  expect(noent, path_readlink(ro, path("missing"), target, sizeof target, &used));
  expect(perm, path_readlink(ro, path("../ro/link"), target, sizeof target, &used));
  expect(fault, path_readlink(ro, path("link"), outside, 10, &used));
  expect(fault, path_readlink(ro, path("link"), target, 10, outside));
  expect(notdir, path_readlink(input, path("link"), target, 10, &used));
  expect(badf, path_readlink(nowhere, path("link"), target, 10, &used));
}
