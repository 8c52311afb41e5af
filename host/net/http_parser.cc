#include "host/net/http_parser.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "host/net/exchange.h"

namespace nur {
namespace {

// A connection that waits for its next request keeps at most this much of each buffer.
constexpr std::size_t kKeptBytesMax = 4 << 10;
constexpr std::size_t kKeptFieldsMax = 32;

// Memory taken on the word of a Content-Length before its bytes have come.
constexpr std::size_t kTrustedBytesMax = 64 << 10;

// RFC 9112 section 2.2 asks servers to skip at least one empty line before a request.
constexpr std::size_t kEmptyLinesMax = 2;

bool is_host(std::string_view text) {
  // uri-host [":" port] (RFC 3986 section 3.2.2): unreserved, sub-delims, and the marks of ports,
  // escapes and IPv6 literals.
  constexpr std::string_view kMarks = "-._~!$&'()*+,;=:%[]";
  return std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

}  // namespace

RequestParser::Progress RequestParser::refuse(Refusal refusal) {
  refusal_ = std::move(refusal);
  return {Step::refused, 0};
}

void RequestParser::start_next() {
  phase_ = Phase::head;
  empty_lines_ = 0;
  scanner_.reset();
  chunked_.reset();
  request_.body.clear();
  body_taken_ = 0;
}

void RequestParser::take_body(std::size_t count) {
  request_.body.erase(0, count);
  body_taken_ += count;
}

void RequestParser::release_buffers() {
  if (request_.head.capacity() > kKeptBytesMax || request_.headers.capacity() > kKeptFieldsMax) {
    head_is_read_ = false;
    request_.method = request_.target = request_.path = request_.query = {};
    request_.headers.clear();
    std::string().swap(request_.head);
  }
  if (request_.body.capacity() > kKeptBytesMax) std::string().swap(request_.body);
  // Of the two lists that take turns.
  for (std::vector<FieldView>* fields : {&request_.headers, &view_.fields}) {
    if (fields->capacity() > kKeptFieldsMax) std::vector<FieldView>().swap(*fields);
  }
}

RequestParser::Progress RequestParser::parse(std::string_view bytes) {
  switch (phase_) {
    case Phase::head:
      return parse_head(bytes);
    case Phase::body:
      return parse_body(bytes);
    case Phase::complete:
      break;
  }
  return {Step::complete, 0};
}

RequestParser::Progress RequestParser::parse_head(std::string_view bytes) {
  std::size_t skipped = 0;
  for (; empty_lines_ < kEmptyLinesMax && bytes.starts_with('\r'); ++empty_lines_) {
    if (bytes == "\r") return {Step::need_more, skipped};
    if (!bytes.starts_with("\r\n")) break;
    bytes.remove_prefix(2);
    skipped += 2;
  }
  if (repeats_head(bytes)) return begin_body(bytes, skipped);
  switch (scanner_.scan(bytes, limits_, /*request=*/true)) {
    case HeadScanner::Found::nothing_yet:
      return {Step::need_more, skipped};
    case HeadScanner::Found::refused:
      return refuse(scanner_.refusal());
    case HeadScanner::Found::whole_head:
      break;
  }
  const std::string_view head = bytes.substr(0, scanner_.head_bytes());
  if (std::optional<Refusal> wrong = take_head(head)) return refuse(*std::move(wrong));
  head_is_read_ = true;
  return begin_body(bytes, skipped);
}

bool RequestParser::repeats_head(std::string_view bytes) const {
  return head_is_read_ && scanner_.is_fresh() && bytes.starts_with(request_.head);
}

RequestParser::Progress RequestParser::begin_body(std::string_view bytes, std::size_t skipped) {
  request_.body.reserve(std::min(framing_.length, kTrustedBytesMax));
  phase_ = Phase::body;
  Progress progress = parse_body(bytes.substr(request_.head.size()));
  if (progress.step != Step::refused) progress.consumed += skipped + request_.head.size();
  return progress;
}

RequestParser::Progress RequestParser::parse_body(std::string_view bytes) {
  if (framing_.chunked) {
    const ChunkedBody::Progress progress =
        chunked_.decode(bytes, request_.body, limits_, body_bytes_max_);
    switch (progress.step) {
      case ChunkedBody::Step::need_more:
        return {Step::need_more, progress.consumed};
      case ChunkedBody::Step::refused:
        return refuse(chunked_.refusal());
      case ChunkedBody::Step::complete:
        phase_ = Phase::complete;
        return {Step::complete, progress.consumed};
    }
  }
  const std::size_t left = framing_.length - body_taken_ - request_.body.size();
  const std::size_t count = std::min(left, bytes.size());
  request_.body.append(bytes.substr(0, count));
  if (count < left) return {Step::need_more, count};
  phase_ = Phase::complete;
  return {Step::complete, count};
}

std::optional<Refusal> RequestParser::take_head(std::string_view head) {
  // From here on nothing points into the head of the request before.
  head_is_read_ = false;
  framing_ = {};
  request_.method = request_.target = request_.path = request_.query = {};
  request_.headers.clear();
  request_.head.assign(head);
  if (auto wrong = read_request_head(request_.head, view_)) return wrong;
  if (view_.target.size() > limits_.target_bytes_max) {
    return Refusal{414,
                   fmt::format("the target is longer than {} bytes", limits_.target_bytes_max)};
  }
  request_.method = view_.method;
  request_.target = view_.target;
  request_.version_minor = view_.version_minor;
  request_.body.clear();
  if (auto wrong = take_fields()) return wrong;
  if (auto wrong = read_framing(view_, framing_)) return wrong;
  request_.headers.swap(view_.fields);
  if (auto wrong = take_target()) return wrong;
  request_.chunked = framing_.chunked;
  if (framing_.chunked || framing_.length > 0) {
    const auto own = handler_ != nullptr ? handler_->body_bytes_max(request_) : std::nullopt;
    body_bytes_max_ = own.value_or(limits_.body_bytes_max);
    if (framing_.length > body_bytes_max_) {
      return Refusal{413, fmt::format("the body is larger than {} bytes", body_bytes_max_)};
    }
  } else {
    expects_continue_ = false;
  }
  return std::nullopt;
}

std::optional<Refusal> RequestParser::take_fields() {
  expects_continue_ = false;
  bool unknown_expectation = false;
  bool says_close = false;
  bool says_keep_alive = false;
  std::size_t hosts = 0;
  for (const FieldView& field : view_.fields) {
    switch (field.name.size()) {
      case 4:
        if (!equal_ignoring_case(field.name, "host")) break;
        ++hosts;
        if (!is_host(field.value)) return Refusal{400, "Host is no host and port"};
        break;
      case 6:
        if (!equal_ignoring_case(field.name, "expect")) break;
        (equal_ignoring_case(field.value, "100-continue") ? expects_continue_
                                                          : unknown_expectation) = true;
        break;
      case 10:
        if (!equal_ignoring_case(field.name, "connection")) break;
        says_close = says_close || list_contains(field.value, "close");
        says_keep_alive = says_keep_alive || list_contains(field.value, "keep-alive");
        break;
      default:
        break;
    }
  }
  if (hosts > 1) return Refusal{400, "more than one Host"};
  if (hosts == 0 && request_.version_minor >= 1) return Refusal{400, "no Host"};
  keep_alive_ = !says_close && (request_.version_minor >= 1 || says_keep_alive);
  // HTTP/1.0 knows no expectations (RFC 9110 section 10.1.1).
  if (request_.version_minor == 0) {
    expects_continue_ = false;
  } else if (unknown_expectation) {
    return Refusal{417, "no expectation but 100-continue is met here"};
  }
  return std::nullopt;
}

std::optional<Refusal> RequestParser::take_target() {
  std::string_view rest = request_.target;
  if (rest == "*") {
    if (request_.method != "OPTIONS") return Refusal{400, "target * is for OPTIONS alone"};
  } else if (!rest.starts_with('/')) {
    const std::size_t scheme_end = rest.find("://");
    const std::string_view scheme = rest.substr(0, scheme_end);
    if (scheme_end == std::string_view::npos ||
        (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https"))) {
      return Refusal{400, "the target is neither a path nor an http URL"};
    }
    rest.remove_prefix(scheme_end + 3);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
    if (authority.empty() || !is_host(authority)) {
      return Refusal{400, "the target's authority is no host and port"};
    }
    rest.remove_prefix(authority.size());
    // Whoever looks at Host shall see where the request really goes (RFC 9112 section 3.2.2).
    for (FieldView& header : request_.headers) {
      if (equal_ignoring_case(header.name, "host")) header.value = authority;
    }
  }
  const std::size_t mark = rest.find('?');
  request_.path = rest.substr(0, mark);
  if (request_.path.empty()) request_.path = "/";
  request_.query = mark == std::string_view::npos ? std::string_view() : rest.substr(mark + 1);
  return std::nullopt;
}

}  // namespace nur
