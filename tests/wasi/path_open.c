#include "wasi.h"

void test(void) {
  u32 fd = 0;
  u32 second = 0;
  path_unlink_file(rw, path("path_open"));
  expect(noent, path_open(rw, 0, path("path_open"), 0, right_read, 0, 0, &fd));
  expect(success,
         path_open(rw, 0, path("path_open"), o_create | o_exclusive, all_rights, 0, 0, &fd));
  expect(exist,
         path_open(rw, 0, path("path_open"), o_create | o_exclusive, all_rights, 0, 0, &second));
  expect(success, path_open(ro, 0, path("dir"), o_directory, all_rights, 0, 0, &second));
  check(second == fd + 1);
  expect(notdir, path_open(ro, 0, path("file"), o_directory, all_rights, 0, 0, &fd));
  expect(success, path_open(ro, 1, path("link"), 0, right_read, 0, 0, &fd));
  expect(loop, path_open(ro, 0, path("link"), 0, right_read, 0, 0, &fd));
  expect(notcapable, path_open(ro, 0, path("file"), 0, right_write, 0, 0, &fd));
  expect(notcapable, path_open(ro, 0, path("new"), o_create, right_read, 0, 0, &fd));
  expect(notcapable, path_open(ro, 0, path("file"), o_truncate, right_read, 0, 0, &fd));
  expect(perm, path_open(ro, 1, path("../rw/path_open"), 0, right_read, 0, 0, &fd));
  expect(perm, path_open(ro, 1, path("/etc/passwd"), 0, right_read, 0, 0, &fd));
  expect(inval, path_open(ro, 2, path("file"), 0, right_read, 0, 0, &fd));
  expect(inval, path_open(ro, 0, path("file"), 16, right_read, 0, 0, &fd));
  expect(inval, path_open(ro, 0, path("file"), 0, right_read, 0, 32, &fd));
  expect(inval, path_open(rw, 0, path("a"), o_create | o_directory, all_rights, 0, 0, &fd));
  expect(fault, path_open(ro, 0, outside, 5, 0, right_read, 0, 0, &fd));
  expect(fault, path_open(ro, 0, path("file"), 0, right_read, 0, 0, outside));
  expect(notdir, path_open(input, 0, path("file"), 0, right_read, 0, 0, &fd));
  expect(badf, path_open(nowhere, 0, path("file"), 0, right_read, 0, 0, &fd));
  /* Descriptors are few, and an answer when there are no more. */
  u32 opened = 0;
  while (opened < 100 && path_open(ro, 0, path("file"), 0, right_read, 0, 0, &fd) == success) {
    ++opened;
  }
  check(opened > 30 && opened < 64);
}
