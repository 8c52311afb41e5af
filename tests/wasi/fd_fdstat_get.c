#include "wasi.h"

typedef struct {
  unsigned char type;
  unsigned short flags;
  u64 base;
  u64 inheriting;
} fdstat;

void test(void) {
  fdstat stat = {0};
  expect(success, fd_fdstat_get(rw, &stat));
  check(stat.type == 3);
  check((stat.inheriting & right_write) != 0);
  expect(success, fd_fdstat_get(ro, &stat));
  check(stat.type == 3);
  check((stat.base & right_write) == 0 && (stat.inheriting & right_write) == 0);
  u32 fd;
  expect(success, path_open(ro, 0, path("file"), 0, right_read, all_rights, 1, &fd));
  expect(success, fd_fdstat_get(fd, &stat));
  check(stat.type == 4 && stat.flags == 1 && stat.base == right_read && stat.inheriting == 0);
  expect(success, fd_fdstat_get(input, &stat));
  check((stat.base & right_read) != 0 && (stat.base & right_write) == 0);
  expect(badf, fd_fdstat_get(nowhere, &stat));
  expect(fault, fd_fdstat_get(rw, outside));
}
