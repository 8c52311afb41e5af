// The calls of serverless-wasm, as its guests import them: pointers of 32 bits, sizes of 64.
#pragma once

#define ENV(name) __attribute__((import_module("env"), import_name(#name))) name
#define EXPORT(name) __attribute__((export_name(#name))) name

typedef unsigned long long size;
typedef long long result;

void ENV(log)(const char* text, size bytes);
void ENV(response_set_status_line)(int status, const char* reason, size bytes);
void ENV(response_set_header)(const char* name, size name_bytes, const char* value,
                              size value_bytes);
void ENV(response_set_body)(const char* bytes, size count);
int ENV(tcp_connect)(const char* address, size bytes);
#ifdef OLD_TCP
void ENV(tcp_read)(int socket, char* room, size bytes);
void ENV(tcp_write)(int socket, const char* bytes, size count);
#else
result ENV(tcp_read)(int socket, char* room, size bytes);
result ENV(tcp_write)(int socket, const char* bytes, size count);
#endif
result ENV(db_get)(const char* key, size key_bytes, char* room, size bytes);

static size length(const char* text) {
  size count = 0;
  while (text[count]) ++count;
  return count;
}

// Appends `text` at `at` and returns where it ends.
static char* add(char* at, const char* text) {
  while (*text) *at++ = *text++;
  return at;
}

static char* add_number(char* at, size number) {
  char digits[20];
  int count = 0;
  do digits[count++] = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  while (count > 0) *at++ = digits[--count];
  return at;
}

static void set_status(int status, const char* reason) {
  response_set_status_line(status, reason, length(reason));
}

static void set_length(size bytes) {
  char digits[20];
  response_set_header("Content-length", 14, digits, (size)(add_number(digits, bytes) - digits));
}

static void set_body(const char* bytes, size count) {
  set_length(count);
  response_set_body(bytes, count);
}
