#include "wasi.h"

void test(void) {
  u64 stat[8];
  file_with("path_filestat_set_times", "x");
  expect(success, path_filestat_set_times(rw, 0, path("path_filestat_set_times"), 1000000000,
                                          2000000000, 1 | 4));
  expect(success, path_filestat_get(rw, 0, path("path_filestat_set_times"), stat));
  check(stat[5] == 1000000000 && stat[6] == 2000000000);
  expect(inval, path_filestat_set_times(rw, 0, path("path_filestat_set_times"), 0, 0, 4 | 8));
  expect(noent, path_filestat_set_times(rw, 0, path("missing"), 0, 0, 1));
  expect(perm, path_filestat_set_times(rw, 0, path("../ro/file"), 0, 0, 1));
  expect(notcapable, path_filestat_set_times(ro, 0, path("file"), 0, 0, 1));
  expect(fault, path_filestat_set_times(rw, 0, outside, 10, 0, 0, 1));
  expect(badf, path_filestat_set_times(nowhere, 0, path("file"), 0, 0, 1));
}
