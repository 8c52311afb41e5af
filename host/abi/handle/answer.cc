#include "host/abi/handle/answer.h"

#include <utility>

#include "base/log.h"
#include "host/net/http_response.h"

namespace nur {

Result<Response> to_response(HandleResponse set) {
  if (!set.status && !set.body && set.headers.empty()) {
    return fail(ErrorKind::invalid_input, "the function ended without setting a response");
  }
  Response response;
  response.status = set.status.value_or(200);
  response.reason = std::move(set.reason);
  response.headers = std::move(set.headers);
  response.body = std::move(set.body).value_or("");
  for (const Header& header : response.headers) {
    if (!equal_ignoring_case(header.name, "content-length")) continue;
    if (header.value != fmt::format("{}", response.body.size())) {
      return fail(ErrorKind::invalid_input,
                  "the function set {} to {} for a body of {} bytes; it may leave it out",
                  printable(header.name, 64), printable(header.value, 64), response.body.size());
    }
  }
  return response;
}

Result<std::string> to_bytes(const HandleResponse& set) {
  if (!set.status || !set.body) {
    return fail(ErrorKind::invalid_input, "the function ended without setting a {}",
                set.status ? "body" : "status");
  }
  Response checked;
  checked.status = *set.status;
  checked.reason = set.reason;
  checked.headers = set.headers;
  if (const std::optional<std::string> defect = find_defect(checked)) {
    return fail(ErrorKind::invalid_input, "the function's answer cannot be sent: {}", *defect);
  }
  std::string bytes = fmt::format("HTTP/1.1 {} {}\r\n", *set.status, set.reason);
  for (const Header& header : set.headers) {
    bytes += fmt::format("{}: {}\r\n", header.name, header.value);
  }
  return bytes + "\r\n" + *set.body;
}

}  // namespace nur
