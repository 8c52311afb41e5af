#include "wasi.h"

void test(void) {
  u64 stat[8];
  const u32 fd = file_with("path_unlink_file", "still here");
  expect(success, path_unlink_file(rw, path("path_unlink_file")));
  expect(noent, path_filestat_get(rw, 0, path("path_unlink_file"), stat));
  /* Who has it open keeps it. */
  expect(success, fd_filestat_get(fd, stat));
  check(stat[4] == 10);
  expect(noent, path_unlink_file(rw, path("path_unlink_file")));
  path_create_directory(rw, path("path_unlink_file.d"));
  const u32 refused = path_unlink_file(rw, path("path_unlink_file.d"));
  check(refused == isdir || refused == perm);
  expect(perm, path_unlink_file(rw, path("../ro/file")));
  expect(notcapable, path_unlink_file(ro, path("file")));
  expect(fault, path_unlink_file(rw, outside, 9));
  expect(badf, path_unlink_file(nowhere, path("file")));
}
