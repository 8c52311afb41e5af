// A WASI command as people write them, with the C library: a variable, and buffered output.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
  const char* const method = getenv("REQUEST_METHOD");
  if (method == NULL || strcmp(method, "GET") != 0) return EXIT_FAILURE;
  fputs("Content-Type: text/plain\n\nHello, world\n", stdout);
}
