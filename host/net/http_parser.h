// From bytes of a connection to Requests.
//
//   bytes -> HeadScanner -> read_request_head -> rules on framing, Host, target -> body -> Request
//
// The same bytes give the same requests however they are cut into pieces. What is not certainly one
// message is refused (RFC 9112 section 11.2, request smuggling); after a refusal nothing on the
// connection can be trusted and it is to be closed.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/net/chunked_body.h"
#include "host/net/http_head.h"
#include "host/net/http_message.h"

namespace nur {

class RequestHandler;

class RequestParser {
 public:
  enum class Step {
    need_more,  // nothing whole yet
    complete,   // request() is whole; start_next() before the next parse()
    refused,    // refusal() says why; parse no more
  };
  struct Progress {
    Step step;
    std::size_t consumed;
  };

  // Both outlive the parser. `handler` is asked for the limit of a body when its head is there, and
  // those of `limits` hold for all else.
  explicit RequestParser(const HttpLimits& limits, RequestHandler* handler = nullptr)
      : limits_(limits), handler_(handler) {}

  // Parses up to the end of one request. The caller passes what was not consumed again, in front of
  // what came since.
  Progress parse(std::string_view bytes);
  // The first `count` bytes of request().body were taken by somebody, and are forgotten.
  void take_body(std::size_t count);
  // Forgets the body. What was read of the head stays until another one is whole: a client that
  // keeps its connection mostly sends the same head again, and then it is not read again.
  void start_next();
  // Gives back buffers beyond a small size; for connections that fall idle.
  void release_buffers();

  [[nodiscard]] Request& request() { return request_; }
  [[nodiscard]] const Request& request() const { return request_; }
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }
  // The head is whole and its body is not.
  [[nodiscard]] bool in_body() const { return phase_ == Phase::body; }
  // The client waits for "100 Continue" before it sends the body. Valid from in_body() on.
  [[nodiscard]] bool expects_continue() const { return expects_continue_; }
  // The client can take another answer on this connection (RFC 9112 section 9.3).
  [[nodiscard]] bool keep_alive() const { return keep_alive_; }

 private:
  enum class Phase { head, body, complete };
  Progress refuse(Refusal refusal);
  Progress parse_head(std::string_view bytes);
  Progress parse_body(std::string_view bytes);
  // The head of the request before, byte for byte, from its first byte on.
  [[nodiscard]] bool repeats_head(std::string_view bytes) const;
  Progress begin_body(std::string_view bytes, std::size_t skipped);
  std::optional<Refusal> take_head(std::string_view head);
  std::optional<Refusal> take_target();
  std::optional<Refusal> take_fields();

  const HttpLimits& limits_;
  RequestHandler* const handler_;
  Phase phase_ = Phase::head;
  std::size_t empty_lines_ = 0;  // skipped before the request
  HeadScanner scanner_;
  HeadView view_;
  Framing framing_;
  ChunkedBody chunked_;
  Request request_;
  std::size_t body_taken_ = 0;
  std::size_t body_bytes_max_ = 0;
  bool head_is_read_ = false;  // request_, framing_ and the flags below are of request_.head
  bool expects_continue_ = false;
  bool keep_alive_ = true;
  Refusal refusal_;
};

}  // namespace nur
