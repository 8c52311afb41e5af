#include "host/serve/nebula/call.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/units.h"

namespace nur {
namespace {

std::uint64_t microseconds(Nanoseconds duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

}  // namespace

NebulaCall::NebulaCall(Dispatcher& dispatcher, EventLoop& loop, const Clock& clock,
                       const Exchange& outer, NebulaOrder order, Done done)
    : dispatcher_(dispatcher),
      loop_(loop),
      clock_(clock),
      outer_(outer),
      order_(std::move(order)),
      done_(std::move(done)),
      target_("/api/" + order_.function + "/" + order_.input),
      next_(loop.timers(), [this] { advance(); }) {
  const Request& asked = outer.request();
  request_.method = "GET";
  request_.target = target_;
  request_.path = target_;
  request_.client = asked.client;
  request_.client_port = asked.client_port;
  request_.server = asked.server;
  request_.server_port = asked.server_port;
}

void NebulaCall::advance() {
  if (is_answered_) {
    if (answer_.status != 200) return done_(std::move(results_), &answer_);
    result_bytes_ += answer_.body.size();
    if (result_bytes_ > kNebulaResultBytesMax) {
      answer_ = host_response(502, fmt::format("the results of all calls are larger than {}",
                                               format_size(kNebulaResultBytesMax)));
      return done_(std::move(results_), &answer_);
    }
    NebulaResult result;
    result.function = order_.function;
    result.input = order_.input;
    result.result = std::move(answer_.body);
    result.startup_us = microseconds(started_ - began_);
    result.total_us = microseconds(ended_ - began_);
    result.start_since_epoch = began_since_epoch_;
    results_.push_back(std::move(result));
  }
  if (results_.size() == order_.calls || client_gone()) return done_(std::move(results_), nullptr);
  is_answered_ = false;
  answer_ = {};
  began_since_epoch_ = microseconds(std::chrono::system_clock::now().time_since_epoch());
  began_ = started_ = clock_.now();
  dispatcher_.call(*this, order_.function, order_.input, &started_);
}

// Whoever answers is in the middle of something; what follows has its own turn of the loop.
void NebulaCall::respond(Response response) {
  NUR_CHECK(!is_answered_);
  is_answered_ = true;
  ended_ = clock_.now();
  answer_ = std::move(response);
  next_.set(loop_.now());
}

bool NebulaCall::respond_verbatim(std::string) {
  respond(host_response(502, "the function answers requests, not calls"));
  return false;
}

Result<void> NebulaCall::begin(Response head, std::optional<std::uint64_t>) {
  answer_ = std::move(head);
  return {};
}

// What is too much in all is refused when it has ended (advance); the rest of it is not kept.
void NebulaCall::write(std::string_view bytes) {
  const std::size_t room = kNebulaResultBytesMax + 1 - answer_.body.size();
  answer_.body += bytes.substr(0, room);
}

Result<void> NebulaCall::write_verbatim(std::string_view) {
  return fail(ErrorKind::invalid_input, "the function answers requests, not calls");
}

Result<void> NebulaCall::end() {
  respond(std::move(answer_));
  return {};
}

void NebulaCall::abort() { respond(host_response(502, "the function broke off its answer")); }

}  // namespace nur
