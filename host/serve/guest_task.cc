#include "host/serve/guest_task.h"

#include <utility>

#include "base/log.h"
#include "base/units.h"

namespace nur {
namespace {

// While others wait for an instance, who holds one with an answer that does not end has so long in
// all for taking nothing, and takes so much in a second.
constexpr Nanoseconds kPatience = Milliseconds(500);
constexpr std::uint64_t kTakenPerSecondMin = 256 << 10;

}  // namespace

GuestTask::GuestTask(const TaskContext& context, Function& function, Lease lease,
                     Exchange& exchange)
    : context_(context), function_(function), lease_(std::move(lease)), exchange_(exchange) {}

void GuestTask::begin(TimePoint deadline) {
  run_.emplace(lease_.instance(), context_.guard, context_.clock, function_.host_functions(),
               invocation(),
               RunLimits{.deadline = deadline,
                         .timeout = function_.limits().time.timeout,
                         .quantum = context_.quantum,
                         .cpu_time = function_.limits().time.cpu_time});
}

void GuestTask::wake() {
  woken_ = true;
  if (parked_with_ != nullptr) std::exchange(parked_with_, nullptr)->run_soon(*this);
}

void GuestTask::park(TaskRunner& runner) {
  parked_with_ = &runner;
  // A wake that came while it ran is for what it waits for now, or for nothing.
  if (woken_) wake();
}

GuestTask::Progress GuestTask::advance(TimePoint now, Nanoseconds slice) {
  parked_with_ = nullptr;
  woken_ = false;
  if (exchange_.client_gone()) {
    // Nobody waits for what the guest would still do.
    exchange_.respond(host_response(503, "the client has left"));
    return Progress::answered;
  }
  if (held_up_) {
    held_up_ = false;
    held_up_for_ += now - run_->wait_began();
  }
  if (is_cut_off_) {
    was_stopped_ = true;
    log_failure("cut off: others wait for an instance, and the client takes its answer too slowly");
    exchange_.respond(host_response(503, "taken too slowly while others wait"));
    return Progress::answered;
  }
  const OnAccountOf account(context_.page, function_.number());
  if (const std::optional<Outcome> outcome = run_->advance(now, slice)) {
    finish(*outcome);
    return Progress::answered;
  }
  if (const std::optional<std::string> wrong = on_pause()) {
    was_stopped_ = true;
    refuse(*wrong);
    return Progress::answered;
  }
  if (run_->switched_out()) return Progress::switched_out;
  if (!run_->waits()) return Progress::asleep;
  // Whatever it waits for: a client that has gone waits for nothing.
  exchange_.watch(this);
  held_up_ = run_->waits_for_client() && !exchange_.has_room();
  return Progress::waits;
}

bool GuestTask::make_way(TimePoint now) {
  if (!held_up_ || parked_with_ == nullptr) return false;
  exchange_.hold_up_to(function_.limits().output_bytes_max);
  if (exchange_.has_room()) {
    wake();
    return false;
  }
  const Milliseconds earned(
      std::min<std::uint64_t>(exchange_.taken_bytes(), std::uint64_t{1} << 50) * 1000 /
      kTakenPerSecondMin);
  if (held_up_for_ + (now - run_->wait_began()) <= kPatience + earned) return false;
  is_cut_off_ = true;
  wake();
  return true;
}

void GuestTask::finish(const Outcome& outcome) {
  const TimeLimits& time = function_.limits().time;
  switch (outcome.kind) {
    case Outcome::Kind::returned:
    case Outcome::Kind::exited:
      return answer(outcome.exit_status);
    case Outcome::Kind::trapped:
    case Outcome::Kind::expired:
    case Outcome::Kind::overspent:
      break;
  }
  was_stopped_ = true;
  on_failure();
  if (const std::optional<std::string> reason = refused_by_host()) return refuse(*reason);
  GuestCounters& counters = context_.page.guests;
  ++(outcome.kind == Outcome::Kind::trapped ? counters.trapped : counters.expired);
  log_failure(explain_stop(outcome, time));
  if (outcome.kind == Outcome::Kind::trapped) {
    return exchange_.respond(host_response(
        failure_status(), fmt::format("the function trapped: {}", to_string(outcome.trap))));
  }
  exchange_.respond(host_response(
      504, outcome.kind == Outcome::Kind::overspent
               ? fmt::format("the function used more than {} of CPU time",
                             format_duration(time.cpu_time))
               : fmt::format("the function ran for more than {}", format_duration(time.timeout))));
}

void GuestTask::refuse(std::string_view reason) {
  log_failure(fmt::format("bad answer: {}", reason));
  exchange_.respond(host_response(failure_status(), reason));
}

void GuestTask::log_failure(std::string_view what) {
  const Request& request = exchange_.request();
  spdlog::warn("function {}: {} ({} {})", printable(function_.name()), what, request.method,
               printable(request.target, 200));
}

bool GuestTask::log_guest(std::string_view text, spdlog::level::level_enum level) {
  if (logged_bytes_ >= function_.limits().log_bytes_max) return false;
  logged_bytes_ += text.size() + 1;
  spdlog::log(level, "function {}: log: {}", printable(function_.name()), printable(text));
  if (logged_bytes_ >= function_.limits().log_bytes_max) {
    spdlog::warn("function {}: log: no more lines of this request are kept (limit {})",
                 printable(function_.name()), format_size(function_.limits().log_bytes_max));
  }
  return true;
}

}  // namespace nur
