#include "wasi.h"

void test(void) {
  for (int i = 0; i < 100; ++i) expect(success, sched_yield());
}
