// Takes chunked coding off a body (RFC 9112 section 7.1), by the letter.
//
// Readers that accept a bare line feed behind a chunk size, blanks around it or an endless
// extension disagree with stricter ones about where a body ends; here each of these is refused.
// Trailer fields are checked like header fields and dropped.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "host/net/http_head.h"

namespace nur {

class ChunkedBody {
 public:
  enum class Step { need_more, complete, refused };
  struct Progress {
    Step step;
    std::size_t consumed;  // the caller passes the rest again, with what came since
  };

  // Appends what is decoded to `body`. The limit of a body is for all that was decoded since the
  // last reset(), whoever has taken it.
  Progress decode(std::string_view bytes, std::string& body, const HttpLimits& limits) {
    return decode(bytes, body, limits, limits.body_bytes_max);
  }
  // The same with another limit of the body.
  Progress decode(std::string_view bytes, std::string& body, const HttpLimits& limits,
                  std::size_t body_bytes_max);
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }
  void reset();

 private:
  enum class Expecting { size_line, data, data_end, trailer_line };
  Progress refuse(int status, std::string_view detail);
  bool read_size_line(std::string_view line, const HttpLimits& limits, std::size_t body_bytes_max);
  bool read_trailer_line(std::string_view line, const HttpLimits& limits);

  Expecting expecting_ = Expecting::size_line;
  std::size_t data_left_ = 0;
  std::size_t decoded_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::size_t trailer_fields_ = 0;
  Refusal refusal_;
};

}  // namespace nur
