#include "wasi.h"

void test(void) {
  const u32 fd = file_with("fd_tell", "0123456789");
  u64 position = 0;
  expect(success, fd_tell(fd, &position));
  check(position == 10);
  expect(success, fd_seek(fd, 3, 0, &position));
  expect(success, fd_tell(fd, &position));
  check(position == 3);
  expect(fault, fd_tell(fd, outside));
  expect(spipe, fd_tell(input, &position));
  expect(badf, fd_tell(nowhere, &position));
}
