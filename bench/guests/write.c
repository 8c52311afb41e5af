// The standard API's way: a header, and a body that is written, with its length known.
#define ENV(name) __attribute__((import_module("env"), import_name(#name))) name
typedef unsigned long long size;

void ENV(response_set_header)(const char* name, size name_bytes, const char* value,
                              size value_bytes);
long long ENV(response_write)(const char* bytes, size count);

__attribute__((export_name("handle"))) void handle(void) {
  response_set_header("Content-Type", 12, "text/plain", 10);
  response_set_header("Content-Length", 14, "13", 2);
  response_write("Hello, world\n", 13);
}
