#include "wasi.h"

void test(void) {
  print(output, "Content-Type: text/plain\n\nok\n");
  proc_exit(0);
}
