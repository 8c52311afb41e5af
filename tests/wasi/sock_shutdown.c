#include "wasi.h"

void test(void) {
  expect(notsock, sock_shutdown(output, 1));
  expect(notsock, sock_shutdown(ro, 2));
  expect(badf, sock_shutdown(nowhere, 1));
}
