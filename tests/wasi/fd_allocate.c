#include "wasi.h"

void test(void) {
  const u32 fd = file_with("fd_allocate", "0123456789");
  u64 end = 0;
  expect(success, fd_allocate(fd, 0, 100));
  expect(success, fd_seek(fd, 0, 2, &end));
  check(end == 100);
  expect(success, fd_allocate(fd, 0, 10));
  expect(success, fd_seek(fd, 0, 2, &end));
  check(end == 100);
  expect(inval, fd_allocate(fd, 0, 0));
  expect(fbig, fd_allocate(fd, ~0ULL, 10));
  expect(notcapable, fd_allocate(read_only_file(), 0, 100));
  expect(spipe, fd_allocate(output, 0, 10));
  expect(badf, fd_allocate(nowhere, 0, 10));
}
