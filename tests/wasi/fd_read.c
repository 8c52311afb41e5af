#include "wasi.h"

void test(void) {
  char bytes[20];
  const vector rooms[2] = {{bytes, 2}, {bytes + 2, 8}};
  const vector far = {outside, 100};
  u32 got = 0;
  u32 all = 0;
  while (all < 5) {
    const vector rest = {bytes + all, 5 - all};
    expect(success, fd_read(input, &rest, 1, &got));
    check(got > 0);
    all += got;
  }
  check(same(bytes, "input", 5));
  expect(success, fd_read(input, rooms, 2, &got));
  check(got == 0);
  const u32 fd = read_only_file();
  expect(success, fd_read(fd, rooms, 2, &got));
  check(got == 10 && same(bytes, "0123456789", 10));
  expect(success, fd_read(fd, rooms, 2, &got));
  check(got == 0);
  expect(success, fd_read(fd, rooms, 0, &got));
  expect(fault, fd_read(fd, &far, 1, &got));
  expect(fault, fd_read(fd, outside, 1, &got));
  expect(fault, fd_read(fd, rooms, 2, outside));
  expect(isdir, fd_read(ro, rooms, 2, &got));
  expect(notcapable, fd_read(output, rooms, 2, &got));
  expect(badf, fd_read(nowhere, rooms, 2, &got));
}
