#include "host/process/generation.h"

#include <algorithm>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "base/log.h"
#include "host/process/worker.h"

namespace nur {
namespace {

// Behind an order to end at once, until a worker that does not is killed.
constexpr Milliseconds kGrace(500);

// How long beyond a function's time-out a worker may go without a turn of any guest. The alarm
// stops guests, but not a host function that does not end.
constexpr Milliseconds kHangs(5000);

// Workers that may be killed while all start for the first time.
constexpr std::size_t kDeathsAtStartMax = 8;

// Until the workers of a later generation are ready.
constexpr std::chrono::minutes kStartsWithin(2);

}  // namespace

Result<std::unique_ptr<Generation>> Generation::create(EventLoop& loop, GenerationOwner& owner,
                                                       const Doors& doors,
                                                       const std::optional<Account>& account,
                                                       ServeOptions options, bool is_first) {
  SharedState shared = NUR_TRY(SharedState::map(options.workers));
  return std::unique_ptr<Generation>(
      new Generation(loop, owner, doors, account, std::move(options), std::move(shared), is_first));
}

Generation::Generation(EventLoop& loop, GenerationOwner& owner, const Doors& doors,
                       const std::optional<Account>& account, ServeOptions options,
                       SharedState shared, bool is_first)
    : loop_(loop),
      owner_(owner),
      doors_(doors),
      account_(account),
      options_(std::move(options)),
      shared_(std::move(shared)),
      quarantine_(shared_.quarantine()),
      is_first_(is_first),
      starts_too_long_(loop.timers(), [this] { fail_start("its workers take too long to start"); }),
      overdue_(
          loop.timers(),
          [this] {
            spdlog::warn("ending workers of before the last reload: requests are still in flight");
            stop();
          }),
      grace_over_(loop.timers(), [this] {
        for (const auto& worker : workers_) {
          if (worker->is_running()) ::kill(worker->pid, SIGKILL);
        }
      }) {
  for (std::size_t i = 0; i < options_.workers; ++i) {
    workers_.push_back(std::make_unique<WorkerProcess>(loop_, *this, shared_.page(i)));
  }
}

Generation::~Generation() {
  for (const auto& worker : workers_) {
    if (!worker->is_running()) continue;
    ::kill(worker->pid, SIGKILL);
    ::waitpid(worker->pid, nullptr, 0);
  }
}

Result<void> Generation::start() {
  if (!is_first_) starts_too_long_.set(loop_.now() + kStartsWithin);
  for (const auto& worker : workers_) NUR_TRY(start(*worker));
  return {};
}

Result<void> Generation::start(WorkerProcess& worker) {
  auto [ours, theirs] = NUR_TRY(Channel::make_pair());
  worker.page.function = 0;
  worker.page.fault = FaultRecord{};
  worker.page.http.active = worker.page.tcp.active = kNotServing;
  std::vector<const WorkerPage*> others;
  for (const auto& other : workers_) {
    if (other.get() != &worker) others.push_back(&other->page);
  }
  const pid_t self = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(ErrorKind::exhausted, "{}", system_error_text("starting a worker"));
  if (pid == 0) {
    std::vector<Fd> tcp_listening;
    for (const Fd& listening : doors_.tcp) tcp_listening.emplace_back(listening.get());
    run_worker({.options = options_,
                .channel = std::move(theirs),
                .listening = Fd(doors_.listening.get()),
                .tcp_listening = std::move(tcp_listening),
                .page = worker.page,
                .others = std::move(others),
                .quarantine = shared_.quarantine(),
                .master = self,
                .account = account_});
  }
  return worker.began(pid, std::move(ours));
}

void Generation::add(Deployed function, const Generation* generation, const Deployed* last) {
  function.number = static_cast<std::uint32_t>(functions_.size());
  if (last != nullptr && !function.is_new) {
    const QuarantineTable& table = generation->shared_.quarantine();
    if (table.holds(last->number, loop_.now())) {
      shared_.quarantine().hold(function.number, table.held_until(last->number));
    }
  }
  functions_.push_back(std::move(function));
  deploy_to_all();
}

void Generation::serve() {
  all_found_ = true;
  deploy_to_all();
}

void Generation::deploy_to_all() {
  for (const auto& worker : workers_) {
    if (worker->is_running()) deploy_to(*worker);
  }
}

void Generation::deploy_to(WorkerProcess& worker) {
  while (worker.deployed < functions_.size()) {
    const Deployed& function = functions_[worker.deployed];
    // One that brought a worker down while it was loaded would do so again.
    const bool skipped =
        function.refused || shared_.quarantine().holds(function.number, loop_.now());
    const auto send = [&](const VerifiedArtefact& artefact) {
      const DeployMessage message{.number = function.number,
                                  .name = function.name,
                                  .file_name = artefact.file_name,
                                  .facts = artefact.facts,
                                  .wants_profile = function.profile.is_open()};
      const int file = artefact.file.get();
      return message.wants_profile ? worker.send(message, {file, function.profile.get()})
                                   : worker.send(message, {file});
    };
    if (!skipped) {
      if (!send(*function.artefact)) return;
      if (function.last_good && !send(*function.last_good)) return;
    }
    ++worker.deployed;
  }
  if (!all_found_ || !owner_.connect_store(worker)) return;
  if (!worker.told_to_serve) worker.told_to_serve = worker.send(ServeMessage{});
}

void Generation::on_message(WorkerProcess& worker, const Message& message) {
  if (const auto* const refused = std::get_if<RefusedMessage>(&message)) on_refused(*refused);
  if (!std::holds_alternative<ReadyMessage>(message)) return;
  worker.ready = worker.was_ever_ready = true;
  if (draining_) worker.send(DrainMessage{});
  if (serving_ || draining_ || failed_) return;
  for (const auto& other : workers_) {
    if (!other->was_ever_ready) return;
  }
  serving_ = true;
  starts_too_long_.clear();
  owner_.on_ready(*this);
}

void Generation::on_refused(const RefusedMessage& message) {
  if (message.number >= functions_.size()) return;
  Deployed& function = functions_[message.number];
  if (function.refused) return;
  const std::string reason = printable(message.reason);
  if (function.last_good) {
    spdlog::error("not serving {}, but what was there before: {}", function.path.string(), reason);
    function.rejected = std::exchange(function.artefact, std::move(function.last_good));
    function.last_good = nullptr;
  } else if (!function.rejected) {  // or another worker has said so
    function.refused = reason;
    spdlog::error("not serving {}: {}", function.path.string(), reason);
  }
}

// Of the function that a worker is on the account of, as its page has it.
Nanoseconds Generation::timeout_of(std::uint32_t account) const {
  const FunctionSettings& settings = account <= functions_.size()
                                         ? options_.settings_of(functions_[account - 1].name)
                                         : options_.defaults;
  return settings.limits.time.timeout;
}

void Generation::end_hanging_workers() {
  for (const auto& worker : workers_) {
    if (!worker->is_running()) continue;
    const std::uint32_t account = worker->page.function;
    if (account == 0 || worker->page.turns != worker->turns_seen) {
      worker->turns_seen = worker->page.turns;
      worker->turned_at = loop_.now();
    } else if (loop_.now() - worker->turned_at > timeout_of(account) + kHangs) {
      spdlog::error("worker {} hangs: ending it", worker->pid);
      ::kill(worker->pid, SIGABRT);
    }
  }
}

void Generation::bury() {
  for (const auto& worker : workers_) {
    int status = 0;
    if (!worker->is_running() || ::waitpid(worker->pid, &status, WNOHANG) != worker->pid) continue;
    on_death(*worker, status);
  }
}

void Generation::on_death(WorkerProcess& worker, int status) {
  const pid_t pid = worker.pid;
  const bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  const std::uint32_t account = worker.page.function;
  worker.ended();
  worker.page.http.active = worker.page.tcp.active = kNotServing;
  if (well && draining_) return;

  const Deployed* const in_function =
      account > 0 && account <= functions_.size() ? &functions_[account - 1] : nullptr;
  if (!stopping_) {
    spdlog::error("worker {} died: {}{}", pid, explain_death(status, worker.page.fault),
                  in_function != nullptr ? ", in function " + in_function->name : "");
  }
  if (in_function != nullptr && is_own_fault(status) &&
      quarantine_.on_death(account - 1, loop_.now())) {
    spdlog::error(
        "function {}: quarantined for {} minutes: it has brought down its worker {} times "
        "in a minute",
        in_function->name, Quarantine::kLasts.count(), Quarantine::kDeaths);
  }
  if (draining_ || failed_) return;
  if (!serving_ && start_has_failed(status, in_function)) {
    return fail_start(in_function != nullptr && !is_first_
                          ? fmt::format("function {} brings down its workers when it is loaded",
                                        in_function->name)
                          : "no worker could start");
  }
  worker.restart_after(worker.delay.on_death(loop_.now()));
}

bool Generation::start_has_failed(int status, const Deployed* in_function) {
  if (in_function != nullptr) {
    if (is_first_) return false;
    if (in_function->is_new && is_own_fault(status)) return true;
  } else if (WIFEXITED(status)) {
    // Before the first request it is nobody's function that a worker dies of.
    return true;
  }
  return ++deaths_at_start_ > kDeathsAtStartMax;
}

void Generation::fail_start(std::string reason) {
  if (failed_ || draining_) return;
  failed_ = true;
  starts_too_long_.clear();
  for (const auto& worker : workers_) worker->restart_never();
  owner_.on_failed(*this, {ErrorKind::internal, std::move(reason)});
}

void Generation::restart(WorkerProcess& worker) {
  if (draining_ || failed_) return;
  const Result<void> started = start(worker);
  if (!started) {
    spdlog::error("{}", started.error().message);
    worker.restart_after(RestartDelay::kMost);
    return;
  }
  deploy_to(worker);
}

void Generation::drain(Milliseconds idle) {
  draining_ = true;
  starts_too_long_.clear();
  for (const auto& worker : workers_) {
    worker->restart_never();
    // One that is still loading has nothing in flight; at its next message it ends.
    worker->send(DrainMessage{static_cast<std::uint32_t>(idle.count())});
  }
}

void Generation::retire(Milliseconds idle) {
  drain(idle);
  overdue_.set(loop_.now() + options_.drain_timeout);
}

void Generation::stop() {
  if (std::exchange(stopping_, true)) return;
  for (const auto& worker : workers_) worker->send(StopMessage{});
  grace_over_.set(loop_.now() + kGrace);
}

void Generation::forget_store() {
  for (const auto& worker : workers_) worker->knows_store = false;
}

const Deployed* Generation::find(std::string_view name) const {
  const auto found = std::ranges::find(functions_, name, &Deployed::name);
  return found == functions_.end() ? nullptr : &*found;
}

std::size_t Generation::functions_served() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      functions_, [](const Deployed& function) { return !function.refused; }));
}

ServerCounters Generation::counters(ServerCounters WorkerPage::*of) const {
  ServerCounters sum;
  for (const auto& worker : workers_) sum += worker->page.*of;
  return sum;
}

bool Generation::is_gone() const {
  return std::ranges::none_of(workers_, [](const auto& worker) { return worker->is_running(); });
}

}  // namespace nur
