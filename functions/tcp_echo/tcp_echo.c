// Sends back whatever arrives, at once, until the other side has no more. It knows no HTTP.

#include "nur.h"

// A chunk is sent before the next one arrives, so every chunk may have the same place.
static char chunk[1024];

NUR_EXPORT("alloc") char* alloc(size_t length) {
  if (length > sizeof chunk) {
    __builtin_trap();
  }
  return chunk;
}

NUR_EXPORT("poll_stream") void poll_stream(const char* data, size_t length) {
  if (length > 0) {
    nur_send(data, length);
  } else {
    nur_end();
  }
}
