#include "wasi.h"

void test(void) {
  u32 count = 0;
  u32 size = 0;
  expect(success, args_sizes_get(&count, &size));
  check(count == 3);
  check(size == sizeof "args_sizes_get" + sizeof "one" + sizeof "two words");
  expect(fault, args_sizes_get(outside, &size));
  expect(fault, args_sizes_get(&count, outside));
}
