#include "wasi.h"

void test(void) {
  u32 prestat[2] = {9, 9};
  expect(success, fd_prestat_get(rw, prestat));
  check((prestat[0] & 0xff) == 0 && prestat[1] == 3);
  expect(success, fd_prestat_get(ro, prestat));
  expect(badf, fd_prestat_get(5, prestat));
  expect(badf, fd_prestat_get(input, prestat));
  expect(badf, fd_prestat_get(file_with("fd_prestat_get", "x"), prestat));
  expect(fault, fd_prestat_get(rw, outside));
}
