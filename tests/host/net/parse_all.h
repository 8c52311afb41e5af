// Runs a RequestParser over bytes cut in pieces, as a connection would.
#pragma once

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "host/net/http_parser.h"

namespace nur {

// With views into a head of its own. Heads are too long to lie inside their strings, so such a copy
// may be moved.
inline Request copy_of(const Request& request) {
  Request copy = request;
  const auto rebase = [&](std::string_view& view) {
    const std::less_equal<const char*> before;
    const char* const begin = request.head.data();
    // "/" for a target without a path is not in the head.
    if (before(begin, view.data()) && before(view.data(), begin + request.head.size())) {
      view = {copy.head.data() + (view.data() - begin), view.size()};
    }
  };
  for (std::string_view* view : {&copy.method, &copy.target, &copy.path, &copy.query}) {
    rebase(*view);
  }
  for (FieldView& field : copy.headers) {
    rebase(field.name);
    rebase(field.value);
  }
  return copy;
}

struct Parsed {
  std::vector<Request> requests;
  int status = 0;  // of the refusal that ended it, or 0
  std::string detail;
  std::string rest;  // not consumed
};

// `cuts` are offsets where one piece ends and the next begins, ascending.
inline Parsed parse_all(std::string_view bytes, const std::vector<std::size_t>& cuts = {},
                        const HttpLimits& limits = {}) {
  RequestParser parser(limits);
  Parsed parsed;
  std::size_t received = 0;
  for (std::size_t piece = 0; piece <= cuts.size(); ++piece) {
    const std::size_t end = piece < cuts.size() ? cuts[piece] : bytes.size();
    parsed.rest += bytes.substr(received, end - received);
    received = end;
    while (true) {
      const RequestParser::Progress progress = parser.parse(parsed.rest);
      parsed.rest.erase(0, progress.consumed);
      if (progress.step == RequestParser::Step::need_more) break;
      if (progress.step == RequestParser::Step::refused) {
        parsed.status = parser.refusal().status;
        parsed.detail = parser.refusal().detail;
        return parsed;
      }
      parsed.requests.push_back(copy_of(parser.request()));
      parser.start_next();
    }
  }
  return parsed;
}

inline std::vector<std::size_t> every_byte(std::string_view bytes) {
  std::vector<std::size_t> cuts(bytes.size());
  std::iota(cuts.begin(), cuts.end(), 1);
  return cuts;
}

// All that two runs over the same bytes must have in common.
inline std::string describe(const Parsed& parsed) {
  std::string text;
  for (const Request& request : parsed.requests) {
    text += fmt::format("{} {}?{}\n{}", request.method, request.path, request.query, request.head);
    for (const FieldView& header : request.headers) {
      text += fmt::format("{}={}\n", header.name, header.value);
    }
    text += fmt::format("[{}]\n", request.body);
  }
  return text + std::to_string(parsed.status);
}

}  // namespace nur
