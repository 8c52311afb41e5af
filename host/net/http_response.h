// From Responses to bytes. The front owns the framing: whatever the answer says about its length or
// about the connection is replaced, and nothing it says can end the head early (threat: response
// splitting).
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "host/net/http_message.h"

namespace nur {

// Most that an answer's head may hold; more is the answerer's mistake (502).
inline constexpr std::size_t kResponseHeadersMax = 100;
inline constexpr std::size_t kResponseHeadBytesMax = 32 << 10;

// Why `response` cannot be sent: a status outside 200..599, a header name that is no token, a value
// with a control character, too many headers.
std::optional<std::string> find_defect(const Response& response);

// Whether its headers ask to close the connection behind it.
bool asks_to_close(const Response& response);

// Statuses whose answers have no body and no Content-Length (RFC 9110 section 6.4.1; 8.6).
bool has_no_body(int status);

class ResponseWriter {
 public:
  // Who is told where the body ends, and how.
  enum class BodyEnd {
    whole,    // response.body is all of it
    length,   // `length` bytes follow
    chunked,  // the last chunk
    close,    // the end of the connection
  };
  struct Framing {
    int version_minor = 1;  // of the request
    bool keep_alive = true;
    BodyEnd end = BodyEnd::whole;
    std::uint64_t length = 0;
  };

  // Appends status line and headers to `out`; `response` has no defect.
  void write_head(const Response& response, Framing framing, std::string& out);

  // "Date: Sun, 06 Nov 1994 08:49:37 GMT" and CRLF; made once a second.
  std::string_view date_line();

 private:
  std::time_t date_of_ = -1;
  std::string date_line_;
};

}  // namespace nur
