#include "wasi.h"

void test(void) {
  char* list[3];
  char bytes[64];
  expect(success, args_get(list, bytes));
  check(list[0] == bytes);
  check(same(list[0], "args_get", 9));
  check(same(list[1], "one", 4));
  check(same(list[2], "two words", 10));
  expect(fault, args_get(outside, bytes));
  expect(fault, args_get(list, outside));
}
