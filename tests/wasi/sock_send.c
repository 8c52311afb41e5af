#include "wasi.h"

void test(void) {
  const vector piece = {"x", 1};
  u32 sent = 0;
  expect(notsock, sock_send(output, &piece, 1, 0, &sent));
  expect(notsock, sock_send(rw, &piece, 1, 0, &sent));
  expect(badf, sock_send(nowhere, &piece, 1, 0, &sent));
}
