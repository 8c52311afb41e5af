// The nur stream ABI in C++, with the SDK: the response is put together when it is compiled.

#include "nur.hpp"

namespace {

template <unsigned size>
struct Response {
  static constexpr char kHead[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ";
  static_assert(size > 10 && size < 100, "two digits");

  char bytes[sizeof kHead - 1 + 2 + 4 + size] = {};

  explicit constexpr Response(const char (&body)[size + 1]) {
    char* to = bytes;
    for (unsigned i = 0; i + 1 < sizeof kHead; ++i) *to++ = kHead[i];
    *to++ = '0' + size / 10;
    *to++ = '0' + size % 10;
    for (const char* from = "\r\n\r\n"; *from != 0; ++from) *to++ = *from;
    for (unsigned i = 0; i < size; ++i) *to++ = body[i];
  }
};

template <unsigned size>
Response(const char (&)[size]) -> Response<size - 1>;

constexpr Response kHello("Hello from C++\n");

// What arrives is not looked at, so every chunk may have the same place.
char chunk[1024];

}  // namespace

extern "C" NUR_EXPORT("alloc") char* alloc(unsigned length) {
  if (length > sizeof chunk) {
    __builtin_trap();
  }
  return chunk;
}

extern "C" NUR_EXPORT("poll_stream") void poll_stream(const char*, unsigned length) {
  // Nothing is sent to a client that closes before it has asked.
  if (length > 0) {
    nur::stream::send({kHello.bytes, sizeof kHello.bytes});
  }
  nur::stream::end();
}
