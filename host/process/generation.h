// Workers that serve the same functions: from their start to the end of the last one.
//
// What a worker may load is settled before it serves, so functions that change get new workers. The
// next generation starts beside the one that serves, with the same listening sockets; when all of
// its workers accept, the last one is told to finish what it has. Each has shared memory of its
// own, because the numbers of functions are its own, too.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/artefact/file_identity.h"
#include "host/artefact/verified_artefact.h"
#include "host/process/privileges.h"
#include "host/process/quarantine.h"
#include "host/process/serve_options.h"
#include "host/process/shared_state.h"
#include "host/process/worker_process.h"

namespace nur {

struct Deployed {
  std::uint32_t number = 0;
  std::string name;
  Path path;                             // in messages
  Path source;                           // that was read
  std::optional<FileIdentity> identity;  // of `source`
  std::shared_ptr<const VerifiedArtefact> artefact;
  // Served instead if no worker can load `artefact`, which is remembered then.
  std::shared_ptr<const VerifiedArtefact> last_good;
  std::shared_ptr<const VerifiedArtefact> rejected;
  Fd profile;                          // where the worker leaves its counts
  bool is_new = false;                 // not of the generation before
  std::optional<std::string> refused;  // it is not served, and why
};

// Where connections come from; every worker has all of them.
struct Doors {
  Fd listening;
  std::string address;
  std::vector<Fd> tcp;  // as options.tcp
};

class Generation;

class GenerationOwner {
 public:
  virtual ~GenerationOwner() = default;
  // All workers accept, for the first time.
  virtual void on_ready(Generation& generation) = 0;
  // It will never be ready. Not to be destroyed during the call.
  virtual void on_failed(Generation& generation, const Error& reason) = 0;
  // False: the worker has no room for a message now.
  virtual bool connect_store(WorkerProcess& worker) = 0;
};

class Generation final : public WorkerOwner {
 public:
  // What it is made of outlives it. With `is_first` a function that brings down each worker that
  // loads it is put into quarantine; otherwise it keeps its generation from being served.
  // Errors: exhausted.
  static Result<std::unique_ptr<Generation>> create(EventLoop& loop, GenerationOwner& owner,
                                                    const Doors& doors,
                                                    const std::optional<Account>& account,
                                                    ServeOptions options, bool is_first);
  // Workers that are still there are killed.
  ~Generation() override;

  // Starts the workers. Errors: those of fork(2).
  Result<void> start();
  // One more function, which workers that are there begin to load. `last` is the function that it
  // was before, nullptr for none; it may be quarantined.
  void add(Deployed function, const Generation* generation, const Deployed* last);
  // That was all of them.
  void serve();

  // No worker accepts from here on; connections without a request are kept for so long.
  void drain(Milliseconds idle);
  // The same, and after the drain time-out it is stopped.
  void retire(Milliseconds idle);
  void stop();
  // Looks for workers that have died.
  void bury();
  void end_hanging_workers();
  void forget_store();
  void deploy_to_all();

  [[nodiscard]] const ServeOptions& options() const { return options_; }
  [[nodiscard]] const std::vector<Deployed>& functions() const { return functions_; }
  [[nodiscard]] const Deployed* find(std::string_view name) const;
  [[nodiscard]] std::size_t functions_served() const;
  [[nodiscard]] ServerCounters counters(ServerCounters WorkerPage::*of) const;
  [[nodiscard]] bool is_gone() const;

 private:
  Generation(EventLoop& loop, GenerationOwner& owner, const Doors& doors,
             const std::optional<Account>& account, ServeOptions options, SharedState shared,
             bool is_first);

  Result<void> start(WorkerProcess& worker);
  void deploy_to(WorkerProcess& worker) override;
  void on_message(WorkerProcess& worker, const Message& message) override;
  void on_refused(const RefusedMessage& message);
  void restart(WorkerProcess& worker) override;
  void on_death(WorkerProcess& worker, int status);
  // Whether a start can come to no good, now that a worker has died of `status`.
  bool start_has_failed(int status, const Deployed* in_function);
  void fail_start(std::string reason);
  [[nodiscard]] Nanoseconds timeout_of(std::uint32_t account) const;

  EventLoop& loop_;
  GenerationOwner& owner_;
  const Doors& doors_;
  const std::optional<Account>& account_;
  const ServeOptions options_;
  const SharedState shared_;
  Quarantine quarantine_;
  const bool is_first_;
  std::vector<Deployed> functions_;
  bool all_found_ = false;
  std::size_t deaths_at_start_ = 0;
  bool serving_ = false;  // all were ready
  bool failed_ = false;
  bool draining_ = false;
  bool stopping_ = false;
  std::vector<std::unique_ptr<WorkerProcess>> workers_;
  Timer starts_too_long_;
  Timer overdue_;
  Timer grace_over_;
};

}  // namespace nur
