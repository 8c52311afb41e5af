#include "host/serve/stream_task.h"

#include "base/units.h"

namespace nur {
namespace {

// Most requests: what the guest reads is there in one piece already.
bool is_head_alone(const Request& request) { return !request.chunked && request.body.empty(); }

}  // namespace

std::string stream_input(const Request& request) {
  std::string input;
  if (!request.chunked) {
    input.reserve(request.head.size() + request.body.size());
    return input.append(request.head).append(request.body);
  }
  input = fmt::format("{} {} HTTP/1.{}\r\n", request.method, request.target, request.version_minor);
  for (const FieldView& header : request.headers) {
    if (equal_ignoring_case(header.name, "transfer-encoding")) continue;
    input += fmt::format("{}: {}\r\n", header.name, header.value);
  }
  return input + fmt::format("Content-Length: {}\r\n\r\n", request.body.size()) + request.body;
}

StreamTask::StreamTask(const TaskContext& context, Function& function, Lease lease,
                       Exchange& exchange)
    : GuestTask(context, function, std::move(lease), exchange),
      input_(is_head_alone(exchange.request()) ? "" : stream_input(exchange.request())),
      stream_(function.stream_entries(), input_.empty() ? exchange.request().head : input_,
              function.limits().output_bytes_max,
              [this](std::string_view text) { log_guest(text); }) {}

void StreamTask::answer(std::uint32_t) {
  std::string output = stream_.take_output();
  if (output.empty()) {
    refuse("the function ended without sending anything");
    return;
  }
  if (!exchange().respond_verbatim(std::move(output))) {
    log_failure("bad answer: what it sent is no HTTP response");
  }
}

std::optional<std::string> StreamTask::refused_by_host() const {
  if (!stream_.overflowed()) return std::nullopt;
  return fmt::format("the function sent more than {}",
                     format_size(function().limits().output_bytes_max));
}

}  // namespace nur
