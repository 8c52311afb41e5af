#include "host/serve/guest_task.h"

#include "base/log.h"
#include "base/units.h"

namespace nur {

GuestTask::GuestTask(const TaskContext& context, Function& function, Lease lease,
                     Exchange& exchange)
    : context_(context), function_(function), lease_(std::move(lease)), exchange_(exchange) {}

bool GuestTask::start(OnDone on_done) {
  on_done_ = std::move(on_done);
  run_.emplace(lease_.instance(), context_.guard, context_.clock, function_.host_functions(),
               invocation(), context_.clock.now() + function_.limits().timeout);
  return advance();
}

bool GuestTask::advance() {
  if (const std::optional<Outcome> outcome = run_->advance()) {
    finish(*outcome);
    return true;
  }
  if (!wake_) {
    wake_ = std::make_unique<Timer>(context_.loop.timers(), [this] {
      if (advance()) on_done_(*this);  // destroys this task
    });
  }
  wake_->set(run_->wake());
  return false;
}

void GuestTask::finish(const Outcome& outcome) {
  const Request& request = exchange_.request();
  const auto where = [&] {
    return outcome.program_counter == 0
               ? std::string("a host call")
               : printable(function_.module().function_at(outcome.program_counter), 200);
  };
  switch (outcome.kind) {
    case Outcome::Kind::returned:
      answer(0);
      break;
    case Outcome::Kind::exited:
      answer(outcome.exit_status);
      break;
    case Outcome::Kind::trapped:
      spdlog::warn("function {}: trap: {} in {} ({} {})", printable(function_.name()),
                   to_string(outcome.trap), where(), request.method,
                   printable(request.target, 200));
      exchange_.respond(
          host_response(502, fmt::format("the function trapped: {}", to_string(outcome.trap))));
      break;
    case Outcome::Kind::expired:
      spdlog::warn("function {}: timeout: still running after {} in {} ({} {})",
                   printable(function_.name()), format_duration(function_.limits().timeout),
                   where(), request.method, printable(request.target, 200));
      exchange_.respond(
          host_response(504, fmt::format("the function ran for more than {}",
                                         format_duration(function_.limits().timeout))));
      break;
  }
}

void GuestTask::refuse(std::string_view reason) {
  const Request& request = exchange_.request();
  spdlog::warn("function {}: bad answer: {} ({} {})", printable(function_.name()), reason,
               request.method, printable(request.target, 200));
  exchange_.respond(host_response(502, reason));
}

void GuestTask::log_guest(std::string_view text) {
  if (logged_bytes_ >= function_.limits().log_bytes_max) return;
  logged_bytes_ += text.size() + 1;
  spdlog::info("function {}: log: {}", printable(function_.name()), printable(text));
  if (logged_bytes_ >= function_.limits().log_bytes_max) {
    spdlog::warn("function {}: log: no more lines of this request are kept (limit {})",
                 printable(function_.name()), format_size(function_.limits().log_bytes_max));
  }
}

}  // namespace nur
