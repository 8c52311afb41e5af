#include "wasi.h"

void test(void) {
  u32 count = 0;
  u32 size = 0;
  expect(success, environ_sizes_get(&count, &size));
  check(count >= 2);
  check(size >= sizeof "A=1" + sizeof "B=two words");
  expect(fault, environ_sizes_get(outside, &size));
  expect(fault, environ_sizes_get(&count, outside));
}
