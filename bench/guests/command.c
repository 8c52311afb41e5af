// A WASI command without a C library: one write. With -DCGI it prints the head of a CGI answer,
// too.
#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) name

struct vector {
  const char* bytes;
  unsigned count;
};
int WASI(fd_write)(int fd, const struct vector* vectors, unsigned count, unsigned* written);

static const char text[] =
#ifdef CGI
    "Content-Type: text/plain\n\n"
#endif
    "Hello, world\n";

__attribute__((export_name("_start"))) void start(void) {
  const struct vector all = {text, sizeof text - 1};
  unsigned written = 0;
  if (fd_write(1, &all, 1, &written) != 0) __builtin_trap();
}
