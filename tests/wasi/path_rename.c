#include "wasi.h"

void test(void) {
  u64 stat[8];
  file_with("path_rename", "new");
  file_with("path_rename.old", "older");
  expect(success, path_rename(rw, path("path_rename"), rw, path("path_rename.old")));
  expect(noent, path_filestat_get(rw, 0, path("path_rename"), stat));
  expect(success, path_filestat_get(rw, 0, path("path_rename.old"), stat));
  check(stat[4] == 3);
  expect(noent, path_rename(rw, path("missing"), rw, path("b")));
  expect(notcapable, path_rename(ro, path("file"), rw, path("taken")));
  expect(notcapable, path_rename(rw, path("path_rename.old"), ro, path("put")));
  expect(perm, path_rename(rw, path("../ro/file"), rw, path("taken")));
  expect(perm, path_rename(rw, path("path_rename.old"), rw, path("../put")));
  expect(fault, path_rename(rw, outside, 9, rw, path("b")));
  expect(fault, path_rename(rw, path("path_rename.old"), rw, outside, 9));
  expect(badf, path_rename(nowhere, path("a"), rw, path("b")));
  expect(badf, path_rename(rw, path("path_rename.old"), nowhere, path("b")));
}
