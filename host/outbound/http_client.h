// HTTP requests of guests to elsewhere: libcurl on the worker's event loop.
//
//   start -> URL -> policy and resolver -> a connection to a permitted address -> head -> body
//
// libcurl resolves nothing: it is handed the permitted addresses, and every socket that it opens is
// held against them once more. It follows no redirect, reads no environment and no file, and knows
// http and https only. Each pool (one per function) has connections of its own, so that nothing of
// one function's is ever another's. A body is read from the network as the guest reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "host/net/event_loop.h"
#include "host/net/http_message.h"
#include "host/outbound/outbound_policy.h"
#include "host/outbound/resolver.h"

namespace nur {

struct HttpClientOptions {
  // Certificates that servers' are held against (PEM); empty: those of the system.
  Path ca_file;
};

struct HttpClientLimits {
  static constexpr std::size_t kFetchesMax = 1000;        // of a worker, at once
  static constexpr std::size_t kConnectionsMax = 256;     // of a function; more requests wait
  static constexpr std::size_t kIdleConnectionsMax = 16;  // of a function
  static constexpr std::size_t kUrlBytesMax = std::size_t{8} << 10;
  static constexpr std::size_t kHeadersMax = 100;  // of a request and of a response
  static constexpr std::size_t kHeaderBytesMax = std::size_t{32} << 10;
  static constexpr std::size_t kBodyBytesMax = std::size_t{16} << 20;     // of a request
  static constexpr std::size_t kUnreadBytesMax = std::size_t{256} << 10;  // of a response's body
  static constexpr Milliseconds kTimeoutDefault{30'000};
  static constexpr Milliseconds kConnectTimeout{10'000};
};

enum class FetchFailure : std::int8_t {
  failed = -1,
  limit = -2,
  denied = -3,
  argument = -4,
  timed_out = -5,
};

struct FetchRequest {
  std::string_view method;
  std::string_view url;
  std::string_view headers;  // lines "Name: value\r\n" or "\n"
  std::string_view body;
  Milliseconds timeout{0};  // until the head is there, and between pieces of the body; 0: default
};

class HttpClient;

// One request and its response. Destroying it ends the transfer.
class HttpFetch {
 public:
  virtual ~HttpFetch() = default;
  // Why there is no response.
  [[nodiscard]] virtual std::optional<FetchFailure> failure() const = 0;
  // The head is there: status and headers, in the order and spelling of the server.
  [[nodiscard]] virtual bool has_head() const = 0;
  [[nodiscard]] virtual int status() const = 0;
  [[nodiscard]] virtual const std::vector<Header>& headers() const = 0;
  // The next bytes of the body: how many, 0 at its end, -1 when it broke off; nullopt: none have
  // come, and the fetch's `changed` will be called.
  virtual std::optional<std::int64_t> read(std::span<char> into) = 0;
};

class HttpClient {
 public:
  // Connections that are shared with no other pool.
  class Pool;

  // Reads what it needs of files; `loop` and `resolver` outlive it. Errors: not_found or
  // invalid_input: of the certificates; exhausted.
  static Result<std::unique_ptr<HttpClient>> open(EventLoop& loop, Resolver& resolver,
                                                  const HttpClientOptions& options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // The pool of that name, made if there is none: before system calls are filtered, since libcurl
  // makes a socket pair for each. Errors: exhausted.
  Result<Pool*> pool(const std::string& name);
  // nullptr when there is none.
  [[nodiscard]] Pool* find_pool(std::string_view name) const;

  // `changed` is called, perhaps before this returns, whenever more can be asked of the fetch: it
  // failed, its head or more of its body came. It must not touch the fetch itself. `policy` and the
  // client outlive the fetch.
  std::unique_ptr<HttpFetch> start(Pool& pool, const OutboundPolicy& policy,
                                   const FetchRequest& request, std::function<void()> changed);

  [[nodiscard]] std::size_t fetches() const { return fetches_; }

 private:
  class Fetch;
  struct Certificates;

  HttpClient(EventLoop& loop, Resolver& resolver);

  EventLoop& loop_;
  Resolver& resolver_;
  std::unique_ptr<Certificates> certificates_;
  std::vector<std::unique_ptr<Pool>> pools_;  // one per function that may connect
  std::size_t fetches_ = 0;
};

}  // namespace nur
