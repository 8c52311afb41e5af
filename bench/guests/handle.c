// The calls of serverless-wasm: status, header and body are handed over one by one.
#define ENV(name) __attribute__((import_module("env"), import_name(#name))) name
typedef unsigned long long size;

void ENV(response_set_status_line)(int status, const char* reason, size bytes);
void ENV(response_set_header)(const char* name, size name_bytes, const char* value,
                              size value_bytes);
void ENV(response_set_body)(const char* bytes, size count);

__attribute__((export_name("handle"))) void handle(void) {
  response_set_status_line(200, "OK", 2);
  response_set_header("Content-Type", 12, "text/plain", 10);
  response_set_body("Hello, world\n", 13);
}
