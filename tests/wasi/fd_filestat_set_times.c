#include "wasi.h"

void test(void) {
  const u32 fd = file_with("fd_filestat_set_times", "x");
  u64 stat[8];
  expect(success, fd_filestat_set_times(fd, 1000000000, 2000000000, 1 | 4));
  expect(success, fd_filestat_get(fd, stat));
  check(stat[5] == 1000000000 && stat[6] == 2000000000);
  /* Only one of them. */
  expect(success, fd_filestat_set_times(fd, 3000000000, 0, 1));
  expect(success, fd_filestat_get(fd, stat));
  check(stat[5] == 3000000000 && stat[6] == 2000000000);
  expect(success, fd_filestat_set_times(fd, 0, 0, 8));
  expect(success, fd_filestat_get(fd, stat));
  check(stat[6] > 1600000000000000000ULL);
  expect(inval, fd_filestat_set_times(fd, 0, 0, 1 | 2));
  expect(inval, fd_filestat_set_times(fd, 0, 0, 16));
  expect(notcapable, fd_filestat_set_times(read_only_file(), 0, 0, 1));
  expect(badf, fd_filestat_set_times(nowhere, 0, 0, 1));
}
