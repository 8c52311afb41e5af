#include "host/serve/static_reply.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace nur {

Result<StaticReply> parse_static_reply(std::string_view text) {
  const std::size_t split = text.find('=');
  const std::string_view path = text.substr(0, split);
  if (split == std::string_view::npos || !path.starts_with('/')) {
    return fail(ErrorKind::invalid_input, "{}: write /PATH=TEXT", printable(text, 200));
  }
  // A request's path ends before its query and never has these bytes (http_head.cc).
  const bool reachable =
      std::ranges::all_of(path, [](char c) { return c > ' ' && c < '\x7f' && c != '#'; }) &&
      path.find('?') == std::string_view::npos;
  if (!reachable) {
    return fail(ErrorKind::invalid_input, "{}: no request has such a path", printable(path, 200));
  }
  StaticReply reply;
  reply.path = path;
  reply.response.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
  reply.response.body = text.substr(split + 1);
  return reply;
}

Result<StaticReplies> StaticReplies::create(std::vector<StaticReply> replies,
                                            RequestHandler& next) {
  for (auto reply = replies.begin(); reply != replies.end(); ++reply) {
    const auto same = std::find_if(replies.begin(), reply, [&](const StaticReply& earlier) {
      return earlier.path == reply->path;
    });
    if (same != reply) {
      return fail(ErrorKind::invalid_input, "two replies for {}", printable(reply->path, 200));
    }
  }
  return StaticReplies(std::move(replies), next);
}

StaticReplies::StaticReplies(std::vector<StaticReply> replies, RequestHandler& next)
    : replies_(std::move(replies)), next_(next) {}

void StaticReplies::handle(Exchange& exchange) {
  const std::string_view path = exchange.request().path;
  for (const StaticReply& reply : replies_) {
    if (path == reply.path) return exchange.respond(reply.response);
  }
  next_.handle(exchange);
}

bool StaticReplies::takes_early(const Request& request) {
  for (const StaticReply& reply : replies_) {
    if (request.path == reply.path) return false;
  }
  return next_.takes_early(request);
}

std::optional<std::size_t> StaticReplies::body_bytes_max(const Request& request) {
  const auto is_meant = [&](const StaticReply& reply) { return reply.path == request.path; };
  if (std::ranges::any_of(replies_, is_meant)) return std::nullopt;
  return next_.body_bytes_max(request);
}

}  // namespace nur
