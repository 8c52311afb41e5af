#include "host/net/verbatim_stream.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "host/net/http_message.h"
#include "host/net/response_parser.h"

namespace nur {
namespace {

constexpr HttpLimits kBodyLimits{.head_bytes_max = kResponseHeadBytesMax,
                                 .headers_max = kResponseHeadersMax,
                                 .body_bytes_max = std::numeric_limits<std::size_t>::max()};

}  // namespace

Result<void> VerbatimStream::write(std::string_view bytes, ResponseWriter& writer,
                                   std::string& out) {
  if (!in_head_) return take_body(bytes, out);
  held_ += bytes;
  return take_heads(writer, out);
}

Result<void> VerbatimStream::take_heads(ResponseWriter& writer, std::string& out) {
  while (true) {
    switch (scanner_.scan(held_, kBodyLimits, /*request=*/false)) {
      case HeadScanner::Found::nothing_yet:
        return {};
      case HeadScanner::Found::refused:
        return fail(ErrorKind::invalid_input, "the response: {}", scanner_.refusal().detail);
      case HeadScanner::Found::whole_head:
        break;
    }
    const std::string_view head = std::string_view(held_).substr(0, scanner_.head_bytes());
    HeadView view;
    if (const std::optional<Refusal> wrong = read_response_head(head, view)) {
      return fail(ErrorKind::invalid_input, "the response: {}", wrong->detail);
    }
    if (view.status >= 200) {
      NUR_TRY(begin_body(head, writer, out));
      const std::string rest = std::exchange(held_, {}).substr(head.size());
      return take_body(rest, out);
    }
    if (view.status == 101) {
      return fail(ErrorKind::invalid_input, "the response: protocols are not switched here");
    }
    if (!client_.old) {
      out += head;
      has_begun_ = true;
    }
    held_.erase(0, head.size());
    scanner_.reset();
  }
}

Result<void> VerbatimStream::begin_body(std::string_view head, ResponseWriter& writer,
                                        std::string& out) {
  HeadView view;
  const ParsedHead parsed = NUR_TRY(parse_response_head(head, view));
  in_head_ = false;
  has_begun_ = true;
  if (client_.method == "HEAD" || has_no_body(view.status)) {
    body_ = Body::complete;
  } else if (parsed.framing.chunked) {
    body_ = Body::chunked;
  } else if (parsed.framing.has_length) {
    left_ = parsed.framing.length;
    body_ = left_ == 0 ? Body::complete : Body::length;
  } else {
    body_ = Body::until_close;
  }
  // A client of HTTP/1.0 keeps the connection only when told so, and these bytes are not ours.
  keeps_alive_ =
      parsed.keep_alive && client_.keep_alive && !client_.old && body_ != Body::until_close;
  if (client_.old && parsed.framing.chunked) {
    Response response;
    response.status = view.status;
    for (const FieldView& field : view.fields) {
      response.headers.push_back({std::string(field.name), std::string(field.value)});
    }
    writer.write_head(
        response, {.version_minor = 0, .keep_alive = false, .end = ResponseWriter::BodyEnd::close},
        out);
    return {};
  }
  out += head.substr(0, head.size() - 2);
  if (!parsed.has_date) out += writer.date_line();
  if (!keeps_alive_ && !parsed.says_close) out += "Connection: close\r\n";
  out += "\r\n";
  return {};
}

Result<void> VerbatimStream::take_body(std::string_view bytes, std::string& out) {
  switch (body_) {
    case Body::complete:
      has_extra_ = has_extra_ || !bytes.empty();
      return {};
    case Body::until_close:
      out += bytes;
      return {};
    case Body::length: {
      const std::size_t count = std::min<std::uint64_t>(left_, bytes.size());
      out += bytes.substr(0, count);
      left_ -= count;
      if (left_ > 0) return {};
      body_ = Body::complete;
      return take_body(bytes.substr(count), out);
    }
    case Body::chunked:
      break;
  }
  // Lines of the coding are passed on when they are whole, and so is what they say.
  std::string joined;
  if (!held_.empty()) {
    joined = std::exchange(held_, {});
    joined += bytes;
    bytes = joined;
  }
  decoded_.clear();
  const ChunkedBody::Progress progress = chunks_.decode(bytes, decoded_, kBodyLimits);
  if (progress.step == ChunkedBody::Step::refused) {
    return fail(ErrorKind::invalid_input, "the response: {}", chunks_.refusal().detail);
  }
  out += client_.old ? std::string_view(decoded_) : bytes.substr(0, progress.consumed);
  const std::string_view rest = bytes.substr(progress.consumed);
  if (progress.step == ChunkedBody::Step::complete) {
    body_ = Body::complete;
    return take_body(rest, out);
  }
  held_ = rest;
  return {};
}

Result<void> VerbatimStream::finish() const {
  if (in_head_) {
    return fail(ErrorKind::invalid_input, "the response's head has no end");
  }
  if (body_ == Body::chunked) {
    return fail(ErrorKind::invalid_input, "the response's chunked body has no end");
  }
  if (body_ == Body::length) {
    return fail(ErrorKind::invalid_input, "the response's body has {} bytes less than it promised",
                left_);
  }
  return {};
}

}  // namespace nur
