// Sends back whatever arrives, at once, until the other side has no more. It knows no HTTP.

#define IMPORT(name) __attribute__((import_module("nur"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

IMPORT("nur_send") void nur_send(const char* bytes, unsigned length);
IMPORT("nur_end") void nur_end(void);

// A chunk is sent before the next one arrives, so every chunk may have the same place.
static char chunk[1024];

EXPORT("alloc") char* alloc(unsigned length) {
  if (length > sizeof chunk) {
    __builtin_trap();
  }
  return chunk;
}

EXPORT("poll_stream") void poll_stream(const char* data, unsigned length) {
  if (length > 0) {
    nur_send(data, length);
  } else {
    nur_end();
  }
}
