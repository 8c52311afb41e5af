#include "wasi.h"

void test(void) {
  const u32 fd = file_with("fd_advise", "0123456789");
  for (u32 advice = 0; advice < 6; ++advice) expect(success, fd_advise(fd, 0, 10, advice));
  expect(inval, fd_advise(fd, 0, 10, 6));
  expect(inval, fd_advise(fd, ~0ULL, 10, 0));
  expect(spipe, fd_advise(input, 0, 10, 0));
  expect(isdir, fd_advise(rw, 0, 10, 0));
  expect(badf, fd_advise(nowhere, 0, 10, 0));
}
