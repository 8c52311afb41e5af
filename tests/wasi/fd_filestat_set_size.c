#include "wasi.h"

void test(void) {
  const u32 fd = file_with("fd_filestat_set_size", "0123456789");
  u64 end;
  expect(success, fd_filestat_set_size(fd, 4));
  expect(success, fd_seek(fd, 0, 2, &end));
  check(end == 4);
  expect(success, fd_filestat_set_size(fd, 8));
  char bytes[8];
  const vector room = {bytes, 8};
  u32 got;
  expect(success, fd_pread(fd, &room, 1, 0, &got));
  check(got == 8 && same(bytes, "0123\0\0\0\0", 8));
  expect(fbig, fd_filestat_set_size(fd, ~0ULL));
  expect(notcapable, fd_filestat_set_size(read_only_file(), 0));
  expect(spipe, fd_filestat_set_size(output, 0));
  expect(badf, fd_filestat_set_size(nowhere, 0));
}
