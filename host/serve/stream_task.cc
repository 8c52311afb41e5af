#include "host/serve/stream_task.h"

namespace nur {
namespace {

// Most requests: what the guest reads is there in one piece already.
bool is_head_alone(const Request& request) { return !request.chunked && request.body.empty(); }

// What the guest reads first.
std::string first_input(Exchange& exchange) {
  if (exchange.is_raw() || is_head_alone(exchange.request())) return "";
  if (exchange.body_has_ended()) return stream_input(exchange.request());
  std::string input = exchange.request().head;
  const std::size_t head_bytes = input.size();
  input.resize(head_bytes + exchange.request().body.size());
  const std::optional<std::size_t> body = exchange.read_body(std::span(input).subspan(head_bytes));
  input.resize(head_bytes + body.value_or(0));
  return input;
}

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
      input_(first_input(exchange)),
      stream_(function.stream_entries(),
              input_.empty() ? std::string_view(exchange.request().head) : input_, *this,
              /*reads=*/!exchange.body_has_ended(),
              [this](std::string_view text) { log_guest(text); }) {}

void StreamTask::answer(std::uint32_t) {
  std::string& output = stream_.output();
  if (!passes_on_ && !exchange().is_raw()) {
    if (output.empty()) return refuse("the function ended without sending anything");
    if (!exchange().respond_verbatim(std::move(output))) {
      log_failure("bad answer: what it sent is no HTTP response");
    }
    return;
  }
  Result<void> passed = pass_on(output);
  if (passed) passed = exchange().end();
  if (!passed) refuse(passed.error().message);
}

std::optional<std::string> StreamTask::on_pause() {
  if (!stream_.output().empty()) {
    const Result<void> passed = pass_on(stream_.output());
    if (!passed) return passed.error().message;
  }
  if (stream_.ended()) exchange().finish_sending();
  return std::nullopt;
}

// Of an answer that has begun, what the guest has sent goes out; of another one nothing, since the
// client is told what went wrong instead.
void StreamTask::on_failure() {
  if (passes_on_ || exchange().is_raw()) (void)pass_on(stream_.output());
}

std::optional<std::size_t> StreamTask::read(std::span<char> into) {
  return exchange().read_body(into);
}

StreamPeer::Taken StreamTask::take(std::string& output) {
  if (!exchange().has_room()) return Taken::later;
  const Result<void> passed = pass_on(output);
  if (passed) return Taken::all;
  refused_ = passed.error().message;
  return Taken::never;
}

Result<void> StreamTask::pass_on(std::string& output) {
  passes_on_ = true;
  const Result<void> written = exchange().write_verbatim(output);
  output.clear();
  return written;
}

}  // namespace nur
