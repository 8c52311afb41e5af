#include "wasi.h"

void test(void) {
  u64 stat[8];
  expect(success, path_filestat_get(ro, 0, path("file"), stat));
  check((stat[2] & 0xff) == 4 && stat[4] == 10);
  expect(success, path_filestat_get(ro, 0, path("link"), stat));
  check((stat[2] & 0xff) == 7);
  expect(success, path_filestat_get(ro, 1, path("link"), stat));
  check((stat[2] & 0xff) == 4);
  expect(success, path_filestat_get(ro, 0, path("dir/../file"), stat));
  expect(noent, path_filestat_get(ro, 0, path("missing"), stat));
  expect(notdir, path_filestat_get(ro, 0, path("file/"), stat));
  expect(perm, path_filestat_get(ro, 0, path(".."), stat));
  expect(perm, path_filestat_get(ro, 0, path("/"), stat));
  expect(inval, path_filestat_get(ro, 2, path("file"), stat));
  expect(fault, path_filestat_get(ro, 0, path("file"), outside));
  expect(notdir, path_filestat_get(input, 0, path("file"), stat));
  expect(badf, path_filestat_get(nowhere, 0, path("file"), stat));
}
