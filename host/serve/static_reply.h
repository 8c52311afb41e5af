// Answers without a guest: fixed texts at fixed paths, in front of another handler. They measure
// what the HTTP front costs by itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "host/net/exchange.h"

namespace nur {

struct StaticReply {
  std::string path;  // compared with a request's path byte by byte
  Response response;
};

// "/path=text": at most one '=' splits, the text may have more. Errors: invalid_input.
Result<StaticReply> parse_static_reply(std::string_view text);

class StaticReplies final : public RequestHandler {
 public:
  // `next` answers everything else, and outlives this. Errors: invalid_input when two replies have
  // the same path.
  static Result<StaticReplies> create(std::vector<StaticReply> replies, RequestHandler& next);

  void handle(Exchange& exchange) override;
  [[nodiscard]] bool takes_early(const Request& request) override;
  [[nodiscard]] std::optional<std::size_t> body_bytes_max(const Request& request) override;

 private:
  StaticReplies(std::vector<StaticReply> replies, RequestHandler& next);

  std::vector<StaticReply> replies_;  // a handful, from the command line
  RequestHandler& next_;
};

}  // namespace nur
