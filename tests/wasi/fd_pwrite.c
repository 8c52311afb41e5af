#include "wasi.h"

void test(void) {
  const u32 fd = file_with("fd_pwrite", "0123456789");
  const vector pieces[2] = {{"ab", 2}, {"c", 1}};
  const vector far = {outside, 100};
  char bytes[20];
  const vector room = {bytes, 20};
  u32 count = 0;
  u64 position = 0;
  expect(success, fd_pwrite(fd, pieces, 2, 4, &count));
  check(count == 3);
  expect(success, fd_tell(fd, &position));
  check(position == 10);
  expect(success, fd_pwrite(fd, pieces, 2, 12, &count));
  expect(success, fd_pread(fd, &room, 1, 0, &count));
  check(count == 15 && same(bytes, "0123abc789\0\0abc", 15));
  expect(fault, fd_pwrite(fd, &far, 1, 0, &count));
  expect(fault, fd_pwrite(fd, pieces, 2, 0, outside));
  expect(inval, fd_pwrite(fd, pieces, 2, ~0ULL, &count));
  expect(notcapable, fd_pwrite(read_only_file(), pieces, 2, 0, &count));
  expect(spipe, fd_pwrite(output, pieces, 2, 0, &count));
  expect(badf, fd_pwrite(nowhere, pieces, 2, 0, &count));
}
