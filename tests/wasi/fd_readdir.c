#include "wasi.h"

typedef struct {
  u64 next, inode;
  u32 size, type;
} entry;

void test(void) {
  static char buffer[4096];
  u32 used = 0;
  u32 dir;
  expect(success, fd_readdir(ro, buffer, sizeof buffer, 0, &used));
  check(used > 0 && used < sizeof buffer);
  u32 names = 0;
  u64 second = 0;
  for (u32 at = 0; at < used;) {
    entry header;
    for (u32 i = 0; i < sizeof header; ++i) ((char*)&header)[i] = buffer[at + i];
    const char* const name = buffer + at + sizeof header;
    if (header.size == 4 && same(name, "file", 4)) check(header.type == 4);
    if (header.size == 4 && same(name, "link", 4)) check(header.type == 7);
    if (header.size == 3 && same(name, "dir", 3)) check(header.type == 3);
    if (++names == 2) second = header.next;
    at += sizeof header + header.size;
  }
  check(names == 5);
  /* From where it was left; and in pieces, of which the last name may be cut. */
  u32 rest = 0;
  expect(success, fd_readdir(ro, buffer, sizeof buffer, second, &rest));
  check(rest > 0 && rest < used);
  expect(success, fd_readdir(ro, buffer, 30, 0, &rest));
  check(rest == 30);
  expect(success, fd_readdir(ro, buffer, 0, 0, &rest));
  check(rest == 0);
  expect(success, path_open(ro, 0, path("dir"), o_directory, all_rights, 0, 0, &dir));
  expect(success, fd_readdir(dir, buffer, sizeof buffer, 0, &used));
  check(used == 2 * sizeof(entry) + 3);
  expect(inval, fd_readdir(ro, buffer, sizeof buffer, ~0ULL, &used));
  expect(fault, fd_readdir(ro, outside, 100, 0, &used));
  expect(fault, fd_readdir(ro, buffer, 100, 0, outside));
  expect(notdir, fd_readdir(input, buffer, 100, 0, &used));
  expect(notdir, fd_readdir(read_only_file(), buffer, 100, 0, &used));
  expect(badf, fd_readdir(nowhere, buffer, 100, 0, &used));
}
