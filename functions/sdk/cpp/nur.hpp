// What a function for nurhost is written with, in C++23: nur.h with strings, results and resources.
//
//   clang++-19 --target=wasm32-wasi -mexec-model=reactor -std=c++23 -O2 -fno-exceptions \
//     -I functions/sdk/c -I functions/sdk/cpp hello.cc -o hello.wasm
//
// Calls that can fail return a Result; its error says why. Nothing throws.
#ifndef NUR_HPP
#define NUR_HPP

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nur.h"

namespace nur {

// Why a call did not do what was asked; see enum nur_error.
enum class Error { failed = -1, limit = -2, denied = -3, invalid = -4, timed_out = -5 };

template <typename T>
using Result = std::expected<T, Error>;

// A time to live or a time-out; none is for ever, or the host's limit.
using Time = std::optional<std::chrono::milliseconds>;

namespace internal {

inline Result<size_t> checked(int64_t code) {
  if (code < 0) {
    return std::unexpected(static_cast<Error>(std::max<int64_t>(code, -5)));
  }
  return static_cast<size_t>(code);
}

// The bytes of a call that writes at most as many as there is room for and returns how many there
// are.
template <typename Call>
Result<std::string> text_of(const Call& call) {
  std::string text(256, 0);
  for (;;) {
    const Result<size_t> length = checked(call(text.data(), text.size()));
    if (!length) {
      return std::unexpected(length.error());
    }
    const bool fits = *length <= text.size();
    text.resize(*length);
    if (fits) {
      return text;
    }
  }
}

template <typename Read>
Result<std::string> read_all(size_t bytes_max, const Read& read) {
  std::string body = {};
  for (;;) {
    const size_t have = body.size();
    // One byte more than allowed tells a body that is too long.
    body.resize(have + std::min(bytes_max - have + 1, std::max<size_t>(have, 4096)));
    const Result<size_t> got = read(std::span(body).subspan(have));
    if (!got) {
      return std::unexpected(got.error());
    }
    body.resize(have + *got);
    if (*got == 0) {
      return body;
    }
    if (body.size() > bytes_max) {
      return std::unexpected(Error::limit);
    }
  }
}

// 0 stands for no time at all, so what is shorter than a millisecond becomes one.
inline int64_t milliseconds(Time time) { return time ? std::max<int64_t>(time->count(), 1) : 0; }

}  // namespace internal

enum class Level { error = 0, warning = 1, info = 2, debug = 3 };

// A line for the host's log, at level info. Never seen by the client.
inline void log(std::string_view text) { nur_log_info(text.data(), text.size()); }
inline void log(Level level, std::string_view text) {
  nur_log_at(static_cast<int32_t>(level), text.data(), text.size());
}

namespace request {

// The method as it was sent: GET.
inline std::string method() { return internal::text_of(nur_request_method).value_or(""); }
// Path and query as they were sent.
inline std::string target() { return internal::text_of(nur_request_target).value_or(""); }
// The target in front of the first '?', and behind it.
inline std::string path() { return internal::text_of(nur_request_path).value_or(""); }
inline std::string query() { return internal::text_of(nur_request_query).value_or(""); }
// Who asks, as ADDRESS:PORT.
inline std::string client() { return internal::text_of(nur_request_client).value_or(""); }
// All headers in order, each as "Name: value\r\n".
inline std::string headers() { return internal::text_of(nur_request_headers).value_or(""); }

// A header by its name in any case; several of that name are joined by ", ".
inline std::optional<std::string> header(std::string_view name) {
  auto value = internal::text_of([&](char* to, uint64_t size) {
    return nur_request_header(name.data(), name.size(), to, size);
  });
  return value ? std::optional(std::move(*value)) : std::nullopt;
}

// The next bytes of the body; 0 at its end. Waits until there are some. failed: the client is gone.
inline Result<size_t> read_body(std::span<char> to) {
  return internal::checked(nur_request_body(to.data(), to.size()));
}

// The whole body. limit: it has more than bytes_max.
inline Result<std::string> body(size_t bytes_max) {
  return internal::read_all(bytes_max, read_body);
}

}  // namespace request

namespace response {

// The status (100 to 599) and its reason. The last call counts.
inline void set_status(int status, std::string_view reason) {
  nur_response_set_status(status, reason.data(), reason.size());
}

// One more header; those of the same name stay.
inline void set_header(std::string_view name, std::string_view value) {
  nur_response_set_header(name.data(), name.size(), value.data(), value.size());
}

// The whole body. The last call counts.
inline void set_body(std::string_view body) { nur_response_set_body(body.data(), body.size()); }

inline void answer(int status, std::string_view reason, std::string_view content_type,
                   std::string_view body) {
  set_status(status, reason);
  set_header("Content-Type", content_type);
  set_body(body);
}

// Sends the status line and the headers set so far, if that was not done, and these bytes behind
// them. Waits while the client is slow. failed: the client is gone.
inline Result<void> write(std::string_view bytes) {
  do {
    const Result<size_t> written =
        internal::checked(nur_response_write(bytes.data(), bytes.size()));
    if (!written) {
      return std::unexpected(written.error());
    }
    if (*written == 0 && !bytes.empty()) {
      return std::unexpected(Error::failed);
    }
    bytes.remove_prefix(std::min(*written, bytes.size()));
  } while (!bytes.empty());
  return {};
}

}  // namespace response

// A connection to a backend. Waiting for it holds up nobody else.
class TcpStream {
 public:
  // Connects to HOST:PORT, a name or an address. denied: not on the function's allow-list. limit:
  // too many are open.
  static Result<TcpStream> connect(std::string_view address) {
    const int32_t handle = nur_tcp_connect(address.data(), address.size());
    if (handle < 0) {
      return std::unexpected(internal::checked(handle).error());
    }
    return TcpStream(handle);
  }

  TcpStream(TcpStream&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}
  TcpStream& operator=(TcpStream&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~TcpStream() {
    if (handle_ >= 0) {
      nur_tcp_close(handle_);
    }
  }

  // The next bytes; 0 at the end. Waits for the first.
  Result<size_t> read(std::span<char> to) {
    return internal::checked(nur_tcp_read(handle_, to.data(), to.size()));
  }

  // Sends all of it.
  Result<void> write(std::string_view bytes) {
    while (!bytes.empty()) {
      const Result<size_t> written =
          internal::checked(nur_tcp_write(handle_, bytes.data(), bytes.size()));
      if (!written || *written == 0) {
        return std::unexpected(written ? Error::failed : written.error());
      }
      bytes.remove_prefix(std::min(*written, bytes.size()));
    }
    return {};
  }

 private:
  explicit TcpStream(int32_t handle) : handle_(handle) {}

  int32_t handle_;
};

namespace env {

// The value of a key in the function's environment.
inline std::optional<std::string> get(std::string_view key) {
  auto value = internal::text_of(
      [&](char* to, uint64_t size) { return nur_env_get(key.data(), key.size(), to, size); });
  return value ? std::optional(std::move(*value)) : std::nullopt;
}

}  // namespace env

namespace db {

// The same by the name that serverless-wasm has for it.
inline std::optional<std::string> get(std::string_view key) {
  auto value = internal::text_of(
      [&](char* to, uint64_t size) { return nur_db_get(key.data(), key.size(), to, size); });
  return value ? std::optional(std::move(*value)) : std::nullopt;
}

}  // namespace db

// Fills `to` with random bytes, good enough for keys.
inline Result<void> random(std::span<char> to) {
  const Result<size_t> done = internal::checked(nur_random_bytes(to.data(), to.size()));
  return done ? Result<void>() : std::unexpected(done.error());
}

namespace clock {

// Since the beginning of 1970, UTC. The host's clocks move in steps of a millisecond.
inline std::chrono::nanoseconds wall() { return std::chrono::nanoseconds(nur_clock_wall()); }
// Since some moment; never goes back.
inline std::chrono::nanoseconds monotonic() {
  return std::chrono::nanoseconds(nur_clock_monotonic());
}
// Waits, and holds up nobody else. The function's own time-out goes on.
inline void sleep(std::chrono::nanoseconds time) { nur_sleep(time.count()); }

}  // namespace clock

// The function's own store of values by key; it survives restarts. denied: the function has none.
// limit: a key, a value or the store would be too large.
namespace kv {

// None: it is not there, or has expired.
inline Result<std::optional<std::string>> get(std::string_view key) {
  auto value = internal::text_of(
      [&](char* to, uint64_t size) { return nur_kv_get(key.data(), key.size(), to, size); });
  if (value) {
    return std::optional(std::move(*value));
  }
  if (value.error() == Error::failed) {
    return std::nullopt;
  }
  return std::unexpected(value.error());
}

// Sets a key, for ever or until `ttl` has passed.
inline Result<void> set(std::string_view key, std::string_view value, Time ttl = std::nullopt) {
  const Result<size_t> done = internal::checked(
      nur_kv_set(key.data(), key.size(), value.data(), value.size(), internal::milliseconds(ttl)));
  return done ? Result<void>() : std::unexpected(done.error());
}

// Deletes a key; whether it was there.
inline Result<bool> remove(std::string_view key) {
  return internal::checked(nur_kv_delete(key.data(), key.size())).transform([](size_t count) {
    return count != 0;
  });
}

// Adds `delta` to the decimal number that a key has, at once and whole; one that is not there
// counts as 0 and gets `ttl`. Returns the sum. invalid: the value is no number.
inline Result<int64_t> increment(std::string_view key, int64_t delta, Time ttl = std::nullopt) {
  int64_t sum = 0;
  const Result<size_t> done = internal::checked(
      nur_kv_increment(key.data(), key.size(), delta, internal::milliseconds(ttl), &sum));
  return done ? Result<int64_t>(sum) : std::unexpected(done.error());
}

// Some of the keys that begin with `prefix` and come behind `after`, in the order of their bytes.
// None are left when there are none; else go on behind the last.
inline Result<std::vector<std::string>> list(std::string_view prefix, std::string_view after = "") {
  std::string bytes(4096, 0);
  Result<size_t> length;
  for (;;) {
    length = internal::checked(nur_kv_list(prefix.data(), prefix.size(), after.data(), after.size(),
                                           bytes.data(), bytes.size()));
    // Not even one key had room.
    if (length || length.error() != Error::limit || bytes.size() >= 1 << 20) {
      break;
    }
    bytes.resize(bytes.size() * 4);
  }
  if (!length) {
    return std::unexpected(length.error());
  }
  std::vector<std::string> keys;
  for (size_t at = 0; at + 4 <= std::min(*length, bytes.size());) {
    uint32_t size = 0;
    std::memcpy(&size, bytes.data() + at, 4);
    keys.push_back(bytes.substr(at + 4, size));
    at += 4 + size;
  }
  return keys;
}

}  // namespace kv

namespace http {

// A response whose body may still be on its way. It is given up when destroyed.
class Response {
 public:
  explicit Response(int32_t handle) : handle_(handle) {}
  Response(Response&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}
  Response& operator=(Response&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Response() {
    if (handle_ >= 0) {
      nur_http_close(handle_);
    }
  }

  int status() const { return nur_http_status(handle_); }

  // A header by its name in any case; several of that name are joined by ", ".
  std::optional<std::string> header(std::string_view name) const {
    auto value = internal::text_of([&](char* to, uint64_t size) {
      return nur_http_header(handle_, name.data(), name.size(), to, size);
    });
    return value ? std::optional(std::move(*value)) : std::nullopt;
  }

  // All headers in order, each as "Name: value\r\n".
  std::string headers() const {
    return internal::text_of(
               [&](char* to, uint64_t size) { return nur_http_headers(handle_, to, size); })
        .value_or("");
  }

  // The next bytes of the body; 0 at its end.
  Result<size_t> read(std::span<char> to) {
    return internal::checked(nur_http_read(handle_, to.data(), to.size()));
  }

  // The whole body. limit: it has more than bytes_max.
  Result<std::string> body(size_t bytes_max) {
    return internal::read_all(bytes_max, [this](std::span<char> to) { return read(to); });
  }

 private:
  int32_t handle_;
};

// http::Request{.url = "http://backend:8080/"}.send()
struct Request {
  std::string method = "GET";
  std::string url = {};      // begins with http:// or https://
  std::string headers = {};  // "Name: value\r\n" lines
  std::string body = {};
  Time timeout = std::nullopt;  // until the head is there, and between pieces of the body

  // Sends it and waits for the head of the response. denied: not on the function's allow-list.
  // limit: too many at once. invalid: no such URL, method or header. timed_out.
  Result<Response> send() const {
    const int32_t handle =
        nur_http_open(method.data(), method.size(), url.data(), url.size(), headers.data(),
                      headers.size(), body.data(), body.size(), internal::milliseconds(timeout));
    if (handle < 0) {
      return std::unexpected(internal::checked(handle).error());
    }
    return Response(handle);
  }
};

}  // namespace http

// The stream ABI: a connection's bytes, for functions that export alloc and poll_stream.
namespace stream {

// Bytes for the client, in order.
inline void send(std::string_view bytes) { nur_send(bytes.data(), bytes.size()); }
// A line for the host's log.
inline void log(std::string_view text) { nur_log(text.data(), text.size()); }
// Done: poll_stream is not called again, what is sent or logged afterwards is dropped. Returns.
inline void end() { nur_end(); }

}  // namespace stream

}  // namespace nur

#endif  // NUR_HPP
