#include "wasi.h"

void test(void) {
  const u32 fd = file_with("fd_fdstat_set_rights", "x");
  const vector piece = {"y", 1};
  u32 wrote;
  expect(success, fd_fdstat_set_rights(fd, right_read, 0));
  expect(notcapable, fd_write(fd, &piece, 1, &wrote));
  /* They never grow. */
  expect(notcapable, fd_fdstat_set_rights(fd, right_read | right_write, 0));
  expect(notcapable, fd_fdstat_set_rights(ro, all_rights, all_rights));
  expect(badf, fd_fdstat_set_rights(nowhere, 0, 0));
}
