#include "wasi.h"

void test(void) {
  u64 stat[8];
  path_remove_directory(rw, path("path_create_directory/below"));
  path_remove_directory(rw, path("path_create_directory"));
  expect(success, path_create_directory(rw, path("path_create_directory")));
  expect(success, path_create_directory(rw, path("path_create_directory/below/")));
  expect(success, path_filestat_get(rw, 0, path("path_create_directory/below"), stat));
  check((stat[2] & 0xff) == 3);
  expect(exist, path_create_directory(rw, path("path_create_directory")));
  expect(noent, path_create_directory(rw, path("nowhere/below")));
  expect(noent, path_create_directory(rw, path("")));
  expect(perm, path_create_directory(rw, path("../out")));
  expect(perm, path_create_directory(rw, path("/out")));
  expect(notcapable, path_create_directory(ro, path("new")));
  expect(fault, path_create_directory(rw, outside, 100));
  expect(notdir, path_create_directory(input, path("new")));
  expect(badf, path_create_directory(nowhere, path("new")));
}
