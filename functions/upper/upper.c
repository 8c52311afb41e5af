// A WASI command: standard input in, the same in capitals out.
//
// Called for a request it is a CGI program: REQUEST_METHOD is set, and the answer begins with its
// header lines. Otherwise (on a command line, or through /api) the capitals are all there is.

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int write_all(const char* bytes, size_t length) {
  while (length > 0) {
    const ssize_t written = write(STDOUT_FILENO, bytes, length);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return -1;
    }
    bytes += written;
    length -= (size_t)written;
  }
  return 0;
}

// ASCII only: every byte of a longer UTF-8 sequence is above 'z' and stays what it is.
static void capitalise(char* bytes, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    if (bytes[i] >= 'a' && bytes[i] <= 'z') {
      bytes[i] = (char)(bytes[i] - 'a' + 'A');
    }
  }
}

int main(void) {
  static const char kHeader[] = "Content-Type: text/plain\n\n";
  if (getenv("REQUEST_METHOD") != NULL && write_all(kHeader, strlen(kHeader)) != 0) {
    return 1;
  }

  static char chunk[16384];
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return 1;
    }
    if (got == 0) {
      return 0;
    }
    capitalise(chunk, (size_t)got);
    if (write_all(chunk, (size_t)got) != 0) {
      return 1;
    }
  }
}
