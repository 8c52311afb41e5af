#include "wasi.h"

void test(void) {
  path_create_directory(rw, path("path_remove_directory"));
  path_create_directory(rw, path("path_remove_directory/below"));
  expect(notempty, path_remove_directory(rw, path("path_remove_directory")));
  expect(success, path_remove_directory(rw, path("path_remove_directory/below")));
  expect(success, path_remove_directory(rw, path("path_remove_directory/")));
  expect(noent, path_remove_directory(rw, path("path_remove_directory")));
  file_with("path_remove_directory.file", "x");
  expect(notdir, path_remove_directory(rw, path("path_remove_directory.file")));
  expect(perm, path_remove_directory(rw, path("../ro/dir")));
  expect(perm, path_remove_directory(rw, path("..")));
  expect(notcapable, path_remove_directory(ro, path("dir")));
  expect(fault, path_remove_directory(rw, outside, 9));
  expect(badf, path_remove_directory(nowhere, path("dir")));
}
