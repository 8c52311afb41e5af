#include "wasi.h"

void test(void) {
  const u32 fd = file_with("fd_close", "x");
  expect(success, fd_close(fd));
  expect(badf, fd_close(fd));
  expect(badf, fd_close(nowhere));
  expect(badf, fd_close(~0u));
  /* The number is free again. */
  check(file_with("fd_close", "x") == fd);
  expect(success, fd_close(ro));
  u32 opened;
  expect(badf, path_open(ro, 0, path("file"), 0, right_read, 0, 0, &opened));
}
