#include "wasi.h"

void test(void) {
  expect(success, fd_sync(file_with("fd_sync", "x")));
  expect(success, fd_sync(rw));
  expect(inval, fd_sync(output));
  expect(badf, fd_sync(nowhere));
  u32 fd;
  expect(success, path_open(rw, 0, path("fd_sync"), 0, right_read, 0, 0, &fd));
  expect(notcapable, fd_sync(fd));
}
