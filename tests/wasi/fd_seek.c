#include "wasi.h"

void test(void) {
  const u32 fd = read_only_file();
  u64 position = 0;
  expect(success, fd_seek(fd, 4, 0, &position));
  check(position == 4);
  expect(success, fd_seek(fd, (u64)-1, 1, &position));
  check(position == 3);
  expect(success, fd_seek(fd, (u64)-2, 2, &position));
  check(position == 8);
  expect(success, fd_seek(fd, 100, 0, &position));
  check(position == 100);
  expect(inval, fd_seek(fd, (u64)-1, 0, &position));
  expect(inval, fd_seek(fd, 0, 3, &position));
  expect(fault, fd_seek(fd, 0, 0, outside));
  expect(spipe, fd_seek(input, 0, 0, &position));
  expect(isdir, fd_seek(ro, 0, 0, &position));
  expect(badf, fd_seek(nowhere, 0, 0, &position));
}
