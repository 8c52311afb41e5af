// One request on its way through a guest: from the lease of an instance to the answer.
//
// What is the same for every guest ABI is here: running, and what the client and the log are told
// when the guest is stopped. What it is given and what its output means are the subclass's; when it
// runs is the scheduler's.
#pragma once

#include <cstdint>
#include <optional>

#include "base/log.h"
#include "host/net/event_loop.h"
#include "host/net/exchange.h"
#include "host/sandbox/guest_run.h"
#include "host/sandbox/waker.h"
#include "host/serve/function.h"
#include "host/serve/outside.h"
#include "host/serve/router.h"
#include "host/serve/worker_page.h"

namespace nur {

// What all tasks of a worker share; outlives them.
struct TaskContext {
  EventLoop& loop;
  const Clock& clock;
  const TrapGuard& guard;
  WorkerPage& page;
  // How long a guest runs before others get their turn.
  Nanoseconds quantum = Milliseconds(1);
  // nullptr: nothing. What is in it is there once all functions are loaded.
  Outside* outside = nullptr;
};

class GuestTask;

// Who runs tasks that were woken.
class TaskRunner {
 public:
  virtual ~TaskRunner() = default;
  // To be run in this turn of the loop or the next; not during this call.
  virtual void run_soon(GuestTask& task) = 0;
};

class GuestTask : public Wakeable, private ExchangeWatcher {
 public:
  GuestTask(const TaskContext& context, Function& function, Lease lease, Exchange& exchange);

  // Before the first advance().
  void begin(TimePoint deadline);

  enum class Progress : std::uint8_t { answered, asleep, waits, switched_out };
  // Runs the guest for a slice of time, a quantum at most, if anybody is still there for its
  // answer. `now` is the clock's, or was a moment ago.
  Progress advance(TimePoint now, Nanoseconds slice);
  [[nodiscard]] const GuestRun& run() const { return *run_; }
  // What it waits for may have come, or its client has gone.
  void wake() override;
  // It waits, and is to be run by `runner` when it is woken: at once, if that has happened already.
  void park(TaskRunner& runner);
  // Somebody waits for its instance. If it is its client that keeps the guest from sending more,
  // more is held for the client, so that the guest can end; where that is not enough, a client that
  // is slow loses the rest. True: this one has.
  bool make_way(TimePoint now);
  // Answered, and not by the guest: it has trapped, or was out of time.
  [[nodiscard]] bool was_stopped() const { return was_stopped_; }
  [[nodiscard]] Function& function() const { return function_; }

 protected:
  virtual Invocation& invocation() = 0;
  // The guest came to its end by itself, with `exit_status` 0 if it did not say otherwise.
  virtual void answer(std::uint32_t exit_status) = 0;
  // What a client is answered when the function fails by a fault of its own.
  [[nodiscard]] virtual int failure_status() const { return 502; }
  // Why a host function stopped the guest, if one did for a reason of this ABI.
  [[nodiscard]] virtual std::optional<std::string> refused_by_host() const { return std::nullopt; }

  // The guest pauses: what it has said so far may go out. Why it cannot go on, if it cannot.
  virtual std::optional<std::string> on_pause() { return std::nullopt; }
  // It was stopped, and the client is told so next.
  virtual void on_failure() {}

  [[nodiscard]] Exchange& exchange() const { return exchange_; }

  // Answers 502 and says why in the log.
  void refuse(std::string_view reason);
  // One line of the log that names function and request.
  void log_failure(std::string_view what);
  // One line of what the guest itself logs. False when it has said too much already.
  bool log_guest(std::string_view text, spdlog::level::level_enum level = spdlog::level::info);

 private:
  void on_exchange() override { wake(); }
  void finish(const Outcome& outcome);

  const TaskContext& context_;
  Function& function_;
  Lease lease_;
  Exchange& exchange_;
  std::optional<GuestRun> run_;
  TaskRunner* parked_with_ = nullptr;
  bool woken_ = false;       // since it was last run
  bool held_up_ = false;     // by a client that does not take what there is
  bool is_cut_off_ = false;  // and others waited
  Nanoseconds held_up_for_{};
  bool was_stopped_ = false;
  std::size_t logged_bytes_ = 0;
};

}  // namespace nur
