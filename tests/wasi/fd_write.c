#include "wasi.h"

void test(void) {
  const u32 fd = file_with("fd_write", "");
  const vector pieces[3] = {{"ab", 2}, {"", 0}, {"cd", 2}};
  const vector far = {outside, 100};
  char bytes[8];
  const vector room = {bytes, 8};
  u32 count = 0;
  expect(success, fd_write(fd, pieces, 3, &count));
  check(count == 4);
  expect(success, fd_pread(fd, &room, 1, 0, &count));
  check(count == 4 && same(bytes, "abcd", 4));
  expect(success, fd_write(fd, pieces, 0, &count));
  check(count == 0);
  expect(success, fd_write(errors, pieces, 0, &count));
  expect(fault, fd_write(fd, &far, 1, &count));
  expect(fault, fd_write(fd, outside, 1, &count));
  expect(fault, fd_write(fd, pieces, 1, outside));
  expect(notcapable, fd_write(input, pieces, 1, &count));
  expect(notcapable, fd_write(read_only_file(), pieces, 1, &count));
  expect(isdir, fd_write(rw, pieces, 1, &count));
  expect(badf, fd_write(nowhere, pieces, 1, &count));
}
