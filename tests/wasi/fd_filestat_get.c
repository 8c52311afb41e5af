#include "wasi.h"

typedef struct {
  u64 device, inode;
  unsigned char type;
  u64 links, size, access, modification, change;
} filestat;

void test(void) {
  filestat stat = {0};
  expect(success, fd_filestat_get(read_only_file(), &stat));
  check(stat.type == 4 && stat.size == 10 && stat.links == 1);
  check(stat.modification > 1600000000000000000ULL);
  expect(success, fd_filestat_get(rw, &stat));
  check(stat.type == 3);
  expect(success, fd_filestat_get(input, &stat));
  expect(badf, fd_filestat_get(nowhere, &stat));
  expect(fault, fd_filestat_get(rw, outside));
}
