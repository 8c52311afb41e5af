// The smallest function of the nur stream ABI: whatever arrives, the answer is a greeting.
//
// The host calls alloc(n) for room, writes n <= 1024 bytes of the connection there and calls
// poll_stream(data, n). Bytes given to nur_send go to the client as they are, so the guest writes
// the whole HTTP response itself. After nur_end it is not called again for this connection.

#define IMPORT(name) __attribute__((import_module("nur"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

IMPORT("nur_send") void nur_send(const char* bytes, unsigned length);
IMPORT("nur_end") void nur_end(void);

static const char kResponse[] =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Length: 13\r\n"
    "\r\n"
    "Hello, world\n";

// What arrives is not looked at, so every chunk may have the same place.
static char chunk[1024];

EXPORT("alloc") char* alloc(unsigned length) {
  if (length > sizeof chunk) {
    __builtin_trap();
  }
  return chunk;
}

EXPORT("poll_stream") void poll_stream(const char* data, unsigned length) {
  (void)data;
  // Nothing is sent to a client that closes before it has asked.
  if (length > 0) {
    nur_send(kResponse, sizeof kResponse - 1);
  }
  nur_end();
}
