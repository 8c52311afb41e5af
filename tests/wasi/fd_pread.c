#include "wasi.h"

void test(void) {
  const u32 fd = read_only_file();
  char bytes[20];
  const vector rooms[2] = {{bytes, 2}, {bytes + 2, 3}};
  const vector far = {outside, 100};
  u32 got = 0;
  u64 position = 9;
  expect(success, fd_pread(fd, rooms, 2, 3, &got));
  check(got == 5 && same(bytes, "34567", 5));
  expect(success, fd_tell(fd, &position));
  check(position == 0);
  expect(success, fd_pread(fd, rooms, 2, 8, &got));
  check(got == 2);
  expect(success, fd_pread(fd, rooms, 2, 100, &got));
  check(got == 0);
  expect(inval, fd_pread(fd, rooms, 2, ~0ULL, &got));
  expect(fault, fd_pread(fd, &far, 1, 0, &got));
  expect(fault, fd_pread(fd, outside, 1, 0, &got));
  expect(fault, fd_pread(fd, rooms, 2, 0, outside));
  expect(spipe, fd_pread(input, rooms, 2, 0, &got));
  expect(isdir, fd_pread(ro, rooms, 2, 0, &got));
  expect(badf, fd_pread(nowhere, rooms, 2, 0, &got));
}
