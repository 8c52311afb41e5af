// Reads the framing of a response that a guest wrote as bytes.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "host/net/http_head.h"

namespace nur {

struct ParsedResponse {
  int status = 0;
  // Where the last head begins, behind any 1xx messages, and where its final empty line is.
  std::size_t head_begin = 0;
  std::size_t head_end = 0;
  bool has_date = false;
  bool says_close = false;
  bool chunked = false;
  // Of the message with any 1xx messages before it. What lies behind must not reach the client: on
  // a connection that lives on it would be taken for the next answer (threat: response splitting).
  std::size_t bytes = 0;
  bool extra_bytes = false;
  // No framing: the end of the connection is the end of the body.
  bool until_close = false;
  // The connection can carry another response behind this one.
  bool keep_alive = false;

  bool operator==(const ParsedResponse&) const = default;
};

// `bytes` is all that was written. `request_method` decides whether there is a body (HEAD).
// The fields of the last head are left in `view`, which may be used for one response after another.
// Errors: invalid_input, saying what keeps it from being one whole response.
Result<ParsedResponse> parse_response(std::string_view bytes, std::string_view request_method,
                                      HeadView& view);
Result<ParsedResponse> parse_response(std::string_view bytes, std::string_view request_method);

// What the head of a response, behind any 1xx messages, says of its message.
struct ParsedHead {
  Framing framing;
  bool has_date = false;
  bool says_close = false;
  bool keep_alive = false;  // as far as the head goes
};
// `head` is whole. Errors: invalid_input.
Result<ParsedHead> parse_response_head(std::string_view head, HeadView& view);

// The heads that parse_response read last. Functions mostly answer with the same head again, and
// what was read of it then still holds: comparing costs a tenth of reading.
class RecentHeads {
 public:
  // As parse_response().
  Result<ParsedResponse> parse(std::string_view bytes, std::string_view request_method);

 private:
  // Longer heads are read every time.
  static constexpr std::size_t kHeadBytesMax = 1024;

  struct Head {
    std::string text;       // with any 1xx messages in front
    ParsedResponse parsed;  // up to the end of `text`
    Framing framing;
  };
  // Each where the length of its whole response puts it, which with the head is the same again.
  std::array<Head, 64> heads_;
  HeadView view_;  // of one that is read; kept for its memory
};

// Takes chunked coding off the body of a response that parse_response found to be `parsed`.
std::string decoded_body(std::string_view bytes, const ParsedResponse& parsed);

}  // namespace nur
