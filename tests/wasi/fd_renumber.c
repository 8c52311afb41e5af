#include "wasi.h"

void test(void) {
  const u32 a = file_with("fd_renumber.a", "a");
  const u32 b = file_with("fd_renumber.b", "b");
  char byte;
  const vector room = {&byte, 1};
  u32 got;
  expect(success, fd_renumber(a, b));
  expect(success, fd_pread(b, &room, 1, 0, &got));
  check(byte == 'a');
  expect(badf, fd_pread(a, &room, 1, 0, &got));
  expect(success, fd_renumber(b, b));
  expect(badf, fd_renumber(a, b));
  expect(badf, fd_renumber(b, nowhere));
}
