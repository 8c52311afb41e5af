// A WASI command as people write them, with the C library and its buffered output.
#include <stdio.h>

int main(void) { fputs("Content-Type: text/plain\n\nHello, world\n", stdout); }
