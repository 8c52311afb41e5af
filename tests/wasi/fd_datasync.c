#include "wasi.h"

void test(void) {
  expect(success, fd_datasync(file_with("fd_datasync", "x")));
  expect(success, fd_datasync(rw));
  expect(inval, fd_datasync(output));
  expect(badf, fd_datasync(nowhere));
  u32 fd;
  expect(success, path_open(rw, 0, path("fd_datasync"), 0, right_read, 0, 0, &fd));
  expect(notcapable, fd_datasync(fd));
}
