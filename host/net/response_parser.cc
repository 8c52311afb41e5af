#include "host/net/response_parser.h"

#include <string>

#include "host/net/chunked_body.h"
#include "host/net/http_message.h"

namespace nur {
namespace {

bool may_keep_alive(const HeadView& view) {
  bool says_close = false;
  bool says_keep_alive = false;
  for (const FieldView& field : view.fields) {
    if (!equal_ignoring_case(field.name, "connection")) continue;
    says_close = says_close || list_contains(field.value, "close");
    says_keep_alive = says_keep_alive || list_contains(field.value, "keep-alive");
  }
  return !says_close && (view.version_minor >= 1 || says_keep_alive);
}

// Reads the head at the front of `bytes` and its length.
Result<std::size_t> read_head(std::string_view bytes, const HttpLimits& limits, HeadView& view) {
  HeadScanner scanner;
  switch (scanner.scan(bytes, limits, /*request=*/false)) {
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

}  // namespace

Result<ParsedResponse> parse_response(std::string_view bytes, std::string_view request_method,
                                      const HttpLimits& limits) {
  ParsedResponse response;
  HeadView view;
  do {
    response.bytes += NUR_TRY(read_head(bytes.substr(response.bytes), limits, view));
    if (view.status == 101) {
      return fail(ErrorKind::invalid_input, "the response: protocols are not switched here");
    }
  } while (view.status < 200);
  response.status = view.status;

  Framing framing;
  if (const std::optional<Refusal> wrong = read_framing(view, framing)) {
    return fail(ErrorKind::invalid_input, "the response: {}", wrong->detail);
  }
  const std::string_view rest = bytes.substr(response.bytes);
  if (request_method == "HEAD" || view.status == 204 || view.status == 304) {
    // RFC 9110 section 6.4.1: no body, whatever the head says.
  } else if (framing.chunked) {
    HttpLimits chunk_limits = limits;
    chunk_limits.body_bytes_max = rest.size();
    ChunkedBody chunked;
    std::string decoded;
    const ChunkedBody::Progress progress = chunked.decode(rest, decoded, chunk_limits);
    if (progress.step == ChunkedBody::Step::refused) {
      return fail(ErrorKind::invalid_input, "the response: {}", chunked.refusal().detail);
    }
    if (progress.step == ChunkedBody::Step::need_more) {
      return fail(ErrorKind::invalid_input, "the response's chunked body has no end");
    }
    response.bytes += progress.consumed;
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
  response.keep_alive = may_keep_alive(view) && !response.until_close && !response.extra_bytes;
  return response;
}

}  // namespace nur
