// A response that a guest writes as bytes, on its way to the client piece by piece.
//
//   bytes -> [1xx messages] -> head, held until it is complete -> body, passed on as it comes
//
// The same rules as for a whole one (response_parser.h): what is not certainly one response is
// refused, and what lies behind its end is dropped, since on a connection that lives on it would be
// taken for the next answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "host/net/chunked_body.h"
#include "host/net/http_head.h"
#include "host/net/http_response.h"

namespace nur {

class VerbatimStream {
 public:
  struct Client {
    std::string method;
    bool old = false;         // of HTTP/1.0: gets neither chunks nor 1xx messages
    bool keep_alive = false;  // it and the front would keep the connection
  };
  explicit VerbatimStream(Client client) : client_(std::move(client)) {}

  // Appends to `out` what of `bytes` the client gets now.
  // Errors: invalid_input when this is no response; nothing may be written from then on.
  Result<void> write(std::string_view bytes, ResponseWriter& writer, std::string& out);
  // Errors: invalid_input when the response is not whole.
  Result<void> finish() const;

  // Something was appended to `out`: it is too late for another answer.
  [[nodiscard]] bool has_begun() const { return has_begun_; }
  // Nothing but the connection's end tells where the body's is.
  [[nodiscard]] bool ends_with_connection() const {
    return body_ == Body::until_close || (body_ == Body::chunked && client_.old);
  }
  // The connection can carry another response behind this one.
  [[nodiscard]] bool keeps_alive() const { return keeps_alive_ && !has_extra_; }

 private:
  enum class Body { length, chunked, until_close, complete };

  Result<void> take_heads(ResponseWriter& writer, std::string& out);
  Result<void> begin_body(std::string_view head, ResponseWriter& writer, std::string& out);
  Result<void> take_body(std::string_view bytes, std::string& out);

  const Client client_;
  bool in_head_ = true;
  bool has_begun_ = false;
  bool keeps_alive_ = false;
  bool has_extra_ = false;
  Body body_ = Body::complete;
  HeadScanner scanner_;
  // Of the head, or of a line of the chunked coding, what is there and not complete.
  std::string held_;
  std::uint64_t left_ = 0;  // of a body with a length
  ChunkedBody chunks_;
  std::string decoded_;
};

}  // namespace nur
