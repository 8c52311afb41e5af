#include "wasi.h"

void test(void) {
  char target[30];
  u32 used;
  path_unlink_file(rw, path("path_symlink"));
  expect(success, path_symlink(path("some/where"), rw, path("path_symlink")));
  expect(success, path_readlink(rw, path("path_symlink"), target, sizeof target, &used));
  check(used == 10 && same(target, "some/where", 10));
  expect(exist, path_symlink(path("x"), rw, path("path_symlink")));
  /* No link that leads out. */
  expect(perm, path_symlink(path("/etc"), rw, path("out")));
  expect(perm, path_symlink(path("../ro"), rw, path("out")));
  expect(perm, path_symlink(path("a/../../ro"), rw, path("out")));
  expect(perm, path_symlink(path("x"), rw, path("../out")));
  expect(notcapable, path_symlink(path("file"), ro, path("new")));
  expect(fault, path_symlink(outside, 9, rw, path("new")));
  expect(fault, path_symlink(path("x"), rw, outside, 9));
  expect(badf, path_symlink(path("x"), nowhere, path("new")));
}
