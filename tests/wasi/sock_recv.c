#include "wasi.h"

void test(void) {
  char bytes[10] = "untouched";
  const vector room = {bytes, 9};
  u32 got = 0;
  u32 flags = 0;
  expect(notsock, sock_recv(input, &room, 1, 0, &got, &flags));
  expect(notsock, sock_recv(rw, &room, 1, 0, &got, &flags));
  expect(badf, sock_recv(nowhere, &room, 1, 0, &got, &flags));
  check(same(bytes, "untouched", 9));
}
