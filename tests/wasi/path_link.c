#include "wasi.h"

void test(void) {
  u64 stat[8];
  file_with("path_link", "x");
  path_unlink_file(rw, path("path_link.second"));
  expect(success, path_link(rw, 0, path("path_link"), rw, path("path_link.second")));
  expect(success, path_filestat_get(rw, 0, path("path_link.second"), stat));
  check(stat[3] == 2);
  expect(exist, path_link(rw, 0, path("path_link"), rw, path("path_link.second")));
  expect(noent, path_link(rw, 0, path("missing"), rw, path("path_link.third")));
  expect(inval, path_link(rw, 1, path("path_link"), rw, path("path_link.third")));
  /* A second name elsewhere would make a read-only file writable. */
  expect(notcapable, path_link(ro, 0, path("file"), rw, path("path_link.third")));
  expect(notcapable, path_link(rw, 0, path("path_link"), ro, path("third")));
  expect(perm, path_link(rw, 0, path("path_link"), rw, path("../third")));
  expect(perm, path_link(rw, 0, path("../ro/file"), rw, path("path_link.third")));
  expect(fault, path_link(rw, 0, outside, 9, rw, path("path_link.third")));
  expect(badf, path_link(nowhere, 0, path("a"), rw, path("b")));
  expect(success, path_unlink_file(rw, path("path_link.second")));
}
