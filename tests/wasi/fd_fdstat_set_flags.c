#include "wasi.h"

void test(void) {
  const u32 fd = file_with("fd_fdstat_set_flags", "0123456789");
  const vector piece = {"end", 3};
  u64 position;
  u32 wrote;
  /* Appends from now on, wherever it stands. */
  expect(success, fd_fdstat_set_flags(fd, 1));
  expect(success, fd_seek(fd, 0, 0, &position));
  expect(success, fd_write(fd, &piece, 1, &wrote));
  expect(success, fd_seek(fd, 0, 2, &position));
  check(position == 13);
  expect(success, fd_fdstat_set_flags(fd, 0));
  expect(success, fd_seek(fd, 0, 0, &position));
  expect(success, fd_write(fd, &piece, 1, &wrote));
  expect(success, fd_seek(fd, 0, 2, &position));
  check(position == 13);
  expect(inval, fd_fdstat_set_flags(fd, 32));
  expect(badf, fd_fdstat_set_flags(nowhere, 0));
}
