#include "wasi.h"

void test(void) {
  for (u32 signal = 0; signal < 32; ++signal) expect(notsup, proc_raise(signal));
}
