#include "wasi.h"

void test(void) {
  for (u32 id = 0; id < 2; ++id) {
    u64 resolution = 0;
    expect(success, clock_res_get(id, &resolution));
    /* Fine clocks would measure other guests. */
    check(resolution >= 1000000);
  }
  u64 resolution;
  /* No processor time of this process or thread: there is none that is only the guest's. */
  expect(notsup, clock_res_get(2, &resolution));
  expect(notsup, clock_res_get(3, &resolution));
  expect(inval, clock_res_get(4, &resolution));
  expect(fault, clock_res_get(0, outside));
}
