// The head of an HTTP/1.x message: where it ends, and what its lines say.
//
// Two steps. HeadScanner finds the end and holds the lines to the strictest reading of RFC 9112
// (section 2.2): they end in CRLF, none is folded. Only a whole head that passed goes to llhttp, in
// one piece; where readers of HTTP disagree about line ends - the source of request smuggling -
// there is nothing left to disagree about. What llhttp has read is then held against what may
// stand there.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/net/http_message.h"

namespace nur {

struct HttpLimits {
  std::size_t target_bytes_max = 8 << 10;       // above: 414
  std::size_t head_bytes_max = 16 << 10;        // with the final empty line; above: 431
  std::size_t headers_max = 100;                // above: 431
  std::size_t body_bytes_max = 1 << 20;         // without chunked coding; above: 413
  std::size_t chunk_extension_bytes_max = 256;  // of each chunk
};

// Why a message is not accepted: the status to answer, and what was wrong.
struct Refusal {
  int status = 400;
  std::string detail;
};

// Finds the end of a head in bytes that arrive piece by piece; each byte is looked at once.
class HeadScanner {
 public:
  enum class Found { nothing_yet, whole_head, refused };

  // `bytes` begins with the head; each call passes what the last one did and what came since.
  // `request` tells whether the first line is held to the limit of a target.
  Found scan(std::string_view bytes, const HttpLimits& limits, bool request);
  // Of a whole head: its length with the final empty line.
  [[nodiscard]] std::size_t head_bytes() const { return line_begin_; }
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }
  // Nothing was scanned since the last reset().
  [[nodiscard]] bool is_fresh() const { return searched_ == 0; }
  void reset();

 private:
  Found refuse(int status, std::string_view detail);

  std::size_t line_begin_ = 0;
  std::size_t searched_ = 0;  // no LF in [line_begin_, searched_)
  std::size_t lines_ = 0;
  Refusal refusal_;
};

struct HeadView {
  std::string_view method;  // of a request
  std::string_view target;  // of a request
  int status = 0;           // of a response
  int version_minor = 1;
  std::vector<FieldView> fields;
};

// Reads a head that HeadScanner found whole.
std::optional<Refusal> read_request_head(std::string_view head, HeadView& view);
std::optional<Refusal> read_response_head(std::string_view head, HeadView& view);

// How the body is framed, by the strict reading of RFC 9112 section 6.3: a message that two readers
// may frame in two ways is refused.
struct Framing {
  bool chunked = false;
  bool has_length = false;
  std::size_t length = 0;
};
std::optional<Refusal> read_framing(const HeadView& view, Framing& framing);

// RFC 9110 section 5.6.2: what names are made of.
bool is_token(std::string_view text);
// Bytes a field value may hold: no control character but the tabulator.
bool is_field_value(std::string_view text);
// Whether a comma-separated list has that member, case-insensitively.
bool list_contains(std::string_view list, std::string_view member);
std::string_view trim_blanks(std::string_view text);

}  // namespace nur
