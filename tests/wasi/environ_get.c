#include "wasi.h"

static char* list[1000];
static char bytes[65536];

void test(void) {
  u32 count = 0;
  u32 size = 0;
  expect(success, environ_sizes_get(&count, &size));
  check(count < 1000 && size < sizeof bytes);
  expect(success, environ_get(list, bytes));
  u32 found = 0;
  for (u32 i = 0; i < count; ++i) {
    check(list[i] >= bytes && list[i] < bytes + size);
    found += same(list[i], "A=1", 4) + same(list[i], "B=two words", 12);
    check(!same(list[i], "HTTP_PROXY=", 11));
  }
  check(found == 2);
  expect(fault, environ_get(outside, bytes));
  expect(fault, environ_get(list, outside));
}
