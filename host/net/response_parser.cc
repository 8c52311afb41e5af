#include "host/net/response_parser.h"

#include <string>

#include "base/check.h"
#include "host/net/chunked_body.h"
#include "host/net/http_message.h"
#include "host/net/http_response.h"

namespace nur {
namespace {

// A head from a guest may be as large as one that the host would write itself.
constexpr HttpLimits kLimits{.head_bytes_max = kResponseHeadBytesMax,
                             .headers_max = kResponseHeadersMax};

// What its fields say of the connection, and whether there is a date.
void read_connection_fields(const HeadView& view, ParsedResponse& response) {
  bool says_keep_alive = false;
  response.has_date = response.says_close = false;
  for (const FieldView& field : view.fields) {
    if (field.name.size() == 4 && equal_ignoring_case(field.name, "date")) {
      response.has_date = true;
    } else if (field.name.size() == 10 && equal_ignoring_case(field.name, "connection")) {
      response.says_close = response.says_close || list_contains(field.value, "close");
      says_keep_alive = says_keep_alive || list_contains(field.value, "keep-alive");
    }
  }
  response.keep_alive = !response.says_close && (view.version_minor >= 1 || says_keep_alive);
}

// A body never holds more than the bytes it is coded in.
HttpLimits limits_for(std::string_view coded_body) {
  HttpLimits limits = kLimits;
  limits.body_bytes_max = coded_body.size();
  return limits;
}

// Reads the head at the front of `bytes` and its length.
Result<std::size_t> read_head(std::string_view bytes, HeadView& view) {
  HeadScanner scanner;
  switch (scanner.scan(bytes, kLimits, /*request=*/false)) {
    case HeadScanner::Found::nothing_yet:
      return fail(ErrorKind::invalid_input, "the response's head has no end");
    case HeadScanner::Found::refused:
      return fail(ErrorKind::invalid_input, "the response: {}", scanner.refusal().detail);
    case HeadScanner::Found::whole_head:
      break;
  }
  const std::string_view head = bytes.substr(0, scanner.head_bytes());
  if (const std::optional<Refusal> wrong = read_response_head(head, view)) {
    return fail(ErrorKind::invalid_input, "the response: {}", wrong->detail);
  }
  return head.size();
}

// Everything up to the body, with any 1xx messages in front.
Result<ParsedResponse> parse_heads(std::string_view bytes, HeadView& view, Framing& framing) {
  ParsedResponse response;
  do {
    response.head_begin = response.bytes;
    response.bytes += NUR_TRY(read_head(bytes.substr(response.bytes), view));
    if (view.status == 101) {
      return fail(ErrorKind::invalid_input, "the response: protocols are not switched here");
    }
  } while (view.status < 200);
  response.status = view.status;
  response.head_end = response.bytes - 2;
  read_connection_fields(view, response);
  if (const std::optional<Refusal> wrong = read_framing(view, framing)) {
    return fail(ErrorKind::invalid_input, "the response: {}", wrong->detail);
  }
  return response;
}

// `response` is of the heads, and becomes the whole.
Result<ParsedResponse> parse_body(std::string_view bytes, std::string_view request_method,
                                  const Framing& framing, ParsedResponse response) {
  const std::string_view rest = bytes.substr(response.bytes);
  if (request_method == "HEAD" || response.status == 204 || response.status == 304) {
    // RFC 9110 section 6.4.1: no body, whatever the head says.
  } else if (framing.chunked) {
    ChunkedBody chunked;
    std::string decoded;
    const ChunkedBody::Progress progress = chunked.decode(rest, decoded, limits_for(rest));
    if (progress.step == ChunkedBody::Step::refused) {
      return fail(ErrorKind::invalid_input, "the response: {}", chunked.refusal().detail);
    }
    if (progress.step == ChunkedBody::Step::need_more) {
      return fail(ErrorKind::invalid_input, "the response's chunked body has no end");
    }
    response.bytes += progress.consumed;
    response.chunked = true;
  } else if (framing.has_length) {
    if (rest.size() < framing.length) {
      return fail(ErrorKind::invalid_input, "the response promises {} bytes of body and has {}",
                  framing.length, rest.size());
    }
    response.bytes += framing.length;
  } else {
    response.bytes = bytes.size();
    response.until_close = true;
  }
  response.extra_bytes = response.bytes < bytes.size();
  response.keep_alive = response.keep_alive && !response.until_close && !response.extra_bytes;
  return response;
}

}  // namespace

Result<ParsedResponse> parse_response(std::string_view bytes, std::string_view request_method) {
  HeadView view;
  return parse_response(bytes, request_method, view);
}

Result<ParsedResponse> parse_response(std::string_view bytes, std::string_view request_method,
                                      HeadView& view) {
  Framing framing;
  const ParsedResponse heads = NUR_TRY(parse_heads(bytes, view, framing));
  return parse_body(bytes, request_method, framing, heads);
}

Result<ParsedResponse> RecentHeads::parse(std::string_view bytes, std::string_view request_method) {
  Head& recent = heads_[bytes.size() % heads_.size()];
  if (recent.text.empty() || !bytes.starts_with(recent.text)) {
    Framing framing;
    const ParsedResponse heads = NUR_TRY(parse_heads(bytes, view_, framing));
    if (heads.bytes > kHeadBytesMax) return parse_body(bytes, request_method, framing, heads);
    recent.text.assign(bytes.substr(0, heads.bytes));
    recent.parsed = heads;
    recent.framing = framing;
  }
  return parse_body(bytes, request_method, recent.framing, recent.parsed);
}

Result<ParsedHead> parse_response_head(std::string_view head, HeadView& view) {
  if (const std::optional<Refusal> wrong = read_response_head(head, view)) {
    return fail(ErrorKind::invalid_input, "the response: {}", wrong->detail);
  }
  ParsedResponse response;
  read_connection_fields(view, response);
  ParsedHead parsed{.framing = {},
                    .has_date = response.has_date,
                    .says_close = response.says_close,
                    .keep_alive = response.keep_alive};
  if (const std::optional<Refusal> wrong = read_framing(view, parsed.framing)) {
    return fail(ErrorKind::invalid_input, "the response: {}", wrong->detail);
  }
  return parsed;
}

std::string decoded_body(std::string_view bytes, const ParsedResponse& parsed) {
  NUR_CHECK(parsed.chunked);
  const std::string_view body = bytes.substr(parsed.head_end + 2);
  ChunkedBody chunked;
  std::string decoded;
  const ChunkedBody::Progress progress = chunked.decode(body, decoded, limits_for(body));
  NUR_CHECK(progress.step == ChunkedBody::Step::complete);
  return decoded;
}

}  // namespace nur
