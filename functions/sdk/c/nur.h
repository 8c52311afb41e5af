// What a function for nurhost is written with, in C. Needs no library; the imports are the API.
//
// A function has one of three shapes:
//
//   handle   NUR_HANDLE(answer) exports the function that is called once for a request. It asks
//            nur_request_*, answers with nur_response_*, and may use the rest of the part "env".
//   stream   exports alloc and poll_stream, which are given a connection's bytes as they come, and
//            calls nur_send, nur_log and nur_end.
//   command  a WASI command reads standard input and prints; it needs nothing of this.
//
// Text and bytes go in as (pointer, size). A call that gives some back takes (to, size), writes at
// most size bytes of them and returns how many there are in all: ask with size 0 first, or with a
// buffer that is large enough for most. Nothing ends with a zero.
//
// What fails returns a negative number (enum nur_error). A pointer outside memory is a trap.
// Everything a function leaves behind ends with its request.
#ifndef NUR_H
#define NUR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NUR_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define NUR_EXPORT(name) __attribute__((export_name(name)))

// Exports the function that is called once for every request: NUR_HANDLE(answer)
#define NUR_HANDLE(function) \
  NUR_EXPORT("handle") void nur_handle_export(void) { function(); }

enum nur_error {
  NUR_FAILED = -1,     // not there, gone, or failed in a way that has no name of its own
  NUR_LIMIT = -2,      // a limit of the host is reached
  NUR_DENIED = -3,     // not granted to this function
  NUR_INVALID = -4,    // an argument that means nothing
  NUR_TIMED_OUT = -5,  // it took longer than was allowed
};

enum nur_level { NUR_ERROR = 0, NUR_WARNING = 1, NUR_INFO = 2, NUR_DEBUG = 3 };

// --- env: the log ---

// A line for the host's log, at level info. Never seen by the client.
NUR_IMPORT("env", "log") void nur_log_info(const char* text, uint64_t size);
// A line for the host's log. level is an enum nur_level.
NUR_IMPORT("env", "log_at") void nur_log_at(int32_t level, const char* text, uint64_t size);

// --- env: the request ---

// The method as it was sent: GET.
NUR_IMPORT("env", "request_method") int64_t nur_request_method(char* to, uint64_t size);
// Path and query as they were sent: /name/a%20b?x=1.
NUR_IMPORT("env", "request_target") int64_t nur_request_target(char* to, uint64_t size);
// The target in front of the first '?'.
NUR_IMPORT("env", "request_path") int64_t nur_request_path(char* to, uint64_t size);
// The target behind the first '?'; empty when there is none.
NUR_IMPORT("env", "request_query") int64_t nur_request_query(char* to, uint64_t size);
// Who asks, as ADDRESS:PORT.
NUR_IMPORT("env", "request_client") int64_t nur_request_client(char* to, uint64_t size);
// All headers in order, each as "Name: value\r\n".
NUR_IMPORT("env", "request_headers") int64_t nur_request_headers(char* to, uint64_t size);
// A header by its name in any case; several of that name are joined by ", ". NUR_FAILED: absent.
NUR_IMPORT("env", "request_header")
int64_t nur_request_header(const char* name, uint64_t name_size, char* to, uint64_t size);
// The next bytes of the body, at most size; 0 at its end. Waits until there are some. NUR_FAILED:
// the client is gone. (Here the result is what was written.)
NUR_IMPORT("env", "request_body") int64_t nur_request_body(void* to, uint64_t size);

// --- env: the response ---

// The status (100 to 599) and its reason. The last call counts.
NUR_IMPORT("env", "response_set_status_line")
void nur_response_set_status(int32_t status, const char* reason, uint64_t size);
// One more header; those of the same name stay.
NUR_IMPORT("env", "response_set_header")
void nur_response_set_header(const char* name, uint64_t name_size, const char* value,
                             uint64_t value_size);
// The whole body. The last call counts.
NUR_IMPORT("env", "response_set_body") void nur_response_set_body(const void* body, uint64_t size);
// Sends the status line and the headers set so far, if that was not done, and these bytes behind
// them. Waits while the client is slow. Returns the bytes written; NUR_FAILED: the client is gone.
NUR_IMPORT("env", "response_write") int64_t nur_response_write(const void* bytes, uint64_t size);

// --- env: connections to backends; waiting for them holds up nobody else ---

// Connects to HOST:PORT, a name or an address. Returns a handle. NUR_DENIED: not on the function's
// allow-list. NUR_LIMIT: too many are open.
NUR_IMPORT("env", "tcp_connect") int32_t nur_tcp_connect(const char* address, uint64_t size);
// The next bytes, at most size; 0 at the end. Waits for the first.
NUR_IMPORT("env", "tcp_read") int64_t nur_tcp_read(int32_t handle, void* to, uint64_t size);
// Sends; returns the bytes taken.
NUR_IMPORT("env", "tcp_write")
int64_t nur_tcp_write(int32_t handle, const void* bytes, uint64_t size);
// 0, or NUR_INVALID. The end of the request closes what is open.
NUR_IMPORT("env", "tcp_close") int32_t nur_tcp_close(int32_t handle);

// --- env: configuration, random numbers, time ---

// The value of a key in the function's environment. NUR_FAILED: there is none.
NUR_IMPORT("env", "env_get")
int64_t nur_env_get(const char* key, uint64_t key_size, char* to, uint64_t size);
// The same by the name that serverless-wasm has for it.
NUR_IMPORT("env", "db_get")
int64_t nur_db_get(const char* key, uint64_t key_size, char* to, uint64_t size);
// Fills to[0, size) with random bytes, good enough for keys. 0, or an error.
NUR_IMPORT("env", "random_bytes") int32_t nur_random_bytes(void* to, uint64_t size);
// Nanoseconds since the beginning of 1970, UTC. The host's clocks move in steps of a millisecond.
NUR_IMPORT("env", "clock_wall") int64_t nur_clock_wall(void);
// Nanoseconds since some moment; never goes back.
NUR_IMPORT("env", "clock_monotonic") int64_t nur_clock_monotonic(void);
// Waits, and holds up nobody else. The function's own time-out goes on.
NUR_IMPORT("env", "sleep") void nur_sleep(int64_t nanoseconds);

// --- env: the function's own store of values by key; it survives restarts. NUR_DENIED: the
// function has none. NUR_LIMIT: a key, a value or the store would be too large ---

// The value of a key. NUR_FAILED: it is not there, or has expired.
NUR_IMPORT("env", "kv_get")
int64_t nur_kv_get(const char* key, uint64_t key_size, void* to, uint64_t size);
// Sets a key until ttl_ms milliseconds have passed; 0 is for ever. 0, or an error.
NUR_IMPORT("env", "kv_set")
int32_t nur_kv_set(const char* key, uint64_t key_size, const void* value, uint64_t value_size,
                   int64_t ttl_ms);
// 1: deleted. 0: it was not there.
NUR_IMPORT("env", "kv_delete") int32_t nur_kv_delete(const char* key, uint64_t key_size);
// Adds delta to the decimal number that a key has, at once and whole, and stores the sum in
// *result; a key that is not there counts as 0 and gets the ttl. NUR_INVALID: the value is no
// number.
NUR_IMPORT("env", "kv_increment")
int32_t nur_kv_increment(const char* key, uint64_t key_size, int64_t delta, int64_t ttl_ms,
                         int64_t* result);
// Keys that begin with prefix and come behind after, in the order of their bytes, each as a
// uint32_t (little-endian, unaligned) and as many bytes; only whole ones. Returns the bytes written
// (not more than size); 0: no more. NUR_LIMIT: not even the first has room.
NUR_IMPORT("env", "kv_list")
int64_t nur_kv_list(const char* prefix, uint64_t prefix_size, const char* after,
                    uint64_t after_size, void* to, uint64_t size);

// --- env: requests to other servers; waiting for them holds up nobody else ---

// Sends a request and waits for the head of its response. headers are "Name: value\r\n" lines;
// timeout_ms: until the head is there, and between pieces of the body; 0: as long as the host
// allows. Returns a handle. NUR_DENIED: not on the allow-list. NUR_LIMIT: too many at once.
// NUR_INVALID: no such URL, method or header.
NUR_IMPORT("env", "http_open")
int32_t nur_http_open(const char* method, uint64_t method_size, const char* url, uint64_t url_size,
                      const char* headers, uint64_t headers_size, const void* body,
                      uint64_t body_size, int64_t timeout_ms);
NUR_IMPORT("env", "http_status") int32_t nur_http_status(int32_t handle);
// As nur_request_header and nur_request_headers, of the response.
NUR_IMPORT("env", "http_header")
int64_t nur_http_header(int32_t handle, const char* name, uint64_t name_size, char* to,
                        uint64_t size);
NUR_IMPORT("env", "http_headers")
int64_t nur_http_headers(int32_t handle, char* to, uint64_t size);
// The next bytes of the body, at most size; 0 at its end; NUR_FAILED. (What was written.)
NUR_IMPORT("env", "http_read") int64_t nur_http_read(int32_t handle, void* to, uint64_t size);
// 0, or NUR_INVALID. The end of the request closes what is open.
NUR_IMPORT("env", "http_close") int32_t nur_http_close(int32_t handle);

// --- nur: the stream ABI ---

// Bytes for the client, in order.
NUR_IMPORT("nur", "nur_send") void nur_send(const void* bytes, size_t size);
// A line for the host's log.
NUR_IMPORT("nur", "nur_log") void nur_log(const char* text, size_t size);
// Done: poll_stream is not called again, what is sent or logged afterwards is dropped. Returns.
NUR_IMPORT("nur", "nur_end") void nur_end(void);

// --- for text that ends with a zero, as C's literals do ---

static inline size_t nur_length(const char* text) {
  size_t length = 0;
  while (text[length] != 0) {
    ++length;
  }
  return length;
}

static inline void nur_say(int32_t level, const char* text) {
  nur_log_at(level, text, nur_length(text));
}

static inline void nur_header(const char* name, const char* value) {
  nur_response_set_header(name, nur_length(name), value, nur_length(value));
}

// A whole response. The reason of the status is for people; "OK" will do.
static inline void nur_answer(int32_t status, const char* reason, const char* content_type,
                              const void* body, size_t size) {
  nur_response_set_status(status, reason, nur_length(reason));
  nur_header("Content-Type", content_type);
  nur_response_set_body(body, size);
}

#ifdef __cplusplus
}
#endif

#endif  // NUR_H
