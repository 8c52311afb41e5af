#include "wasi.h"

void test(void) {
  u64 wall = 0;
  u64 before = 0;
  u64 after = 0;
  expect(success, clock_time_get(0, 1, &wall));
  check(wall > 1600000000000000000ULL);
  check(wall % 1000000 == 0);
  expect(success, clock_time_get(1, 1, &before));
  expect(success, clock_time_get(1, 1, &after));
  check(after >= before);
  check(after % 1000000 == 0);
  expect(notsup, clock_time_get(2, 0, &after));
  expect(notsup, clock_time_get(3, 0, &after));
  expect(inval, clock_time_get(4, 1, &after));
  expect(fault, clock_time_get(0, 1, outside));
}
