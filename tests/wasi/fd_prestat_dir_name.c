#include "wasi.h"

void test(void) {
  char name[10] = "xxxxxxxxx";
  expect(success, fd_prestat_dir_name(rw, name, 3));
  check(same(name, "/rwx", 4));
  expect(success, fd_prestat_dir_name(ro, name, 10));
  check(same(name, "/ro", 3));
  expect(nametoolong, fd_prestat_dir_name(rw, name, 2));
  expect(fault, fd_prestat_dir_name(rw, outside, 100));
  expect(badf, fd_prestat_dir_name(input, name, 3));
  expect(badf, fd_prestat_dir_name(nowhere, name, 3));
}
