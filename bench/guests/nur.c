// A stream: the whole response as one send.
#define NUR(name) __attribute__((import_module("nur"), import_name(#name))) name
#define EXPORT(name) __attribute__((export_name(#name))) name

void NUR(nur_send)(const char* bytes, unsigned length);
void NUR(nur_end)(void);

static const char response[] =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Length: 13\r\n"
    "\r\n"
    "Hello, world\n";
static char chunk[1024];

char* EXPORT(alloc)(unsigned length) {
  if (length > sizeof chunk) __builtin_trap();
  return chunk;
}

void EXPORT(poll_stream)(const char* data, unsigned length) {
  (void)data;
  (void)length;
  nur_send(response, sizeof response - 1);
  nur_end();
}
