#include "wasi.h"

void test(void) {
  u32 accepted = 12345;
  expect(notsock, sock_accept(input, 0, &accepted));
  expect(notsock, sock_accept(rw, 0, &accepted));
  expect(notsock, sock_accept(read_only_file(), 0, &accepted));
  expect(badf, sock_accept(nowhere, 0, &accepted));
  check(accepted == 12345);
}
