#include "host/process/master.h"

#include <cerrno>
#include <csignal>
#include <memory>
#include <sched.h>
#include <set>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "base/log.h"
#include "host/artefact/artefact_files.h"
#include "host/net/listener.h"
#include "host/net/signal_watch.h"
#include "host/outbound/own_addresses.h"
#include "host/process/quarantine.h"
#include "host/process/shared_state.h"
#include "host/process/store_supervisor.h"
#include "host/process/upload_supervisor.h"
#include "host/process/worker.h"
#include "host/process/worker_process.h"
#include "host/serve/profile.h"

namespace nur {
namespace {

// Behind an order to end at once, until a worker that does not is killed.
constexpr Milliseconds kGrace(500);
// Behind an order to drain, until nobody is let in any more though a worker may not have read it.
constexpr Milliseconds kDoorCloses(100);

// How often hanging workers are looked for, and how long beyond a function's time-out one may go
// without a turn of any guest. The alarm stops guests, but not a host function that does not end.
constexpr Milliseconds kLookAfter(1000);
constexpr Milliseconds kHangs(5000);

// Workers that may be killed while all start for the first time.
constexpr std::size_t kDeathsAtStartMax = 8;

struct Deployed {
  std::uint32_t number = 0;
  std::string name;
  Path path;
  VerifiedArtefact artefact;
  Fd profile;  // where the worker leaves its counts
  bool refused = false;
};

// Every connection is a descriptor, and sessions begin with 1,024 unless asked for more.
// Returns the limit.
std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlim_t before = std::exchange(limit.rlim_cur, limit.rlim_max);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : before;
}

// Workers of a master that was killed free its address as soon as they run; until then it is in
// use.
Result<Fd> listen_when_free(const SocketAddress& address, const ListenOptions& options) {
  constexpr Milliseconds kPatience(2000);
  constexpr Milliseconds kPause(5);
  for (Milliseconds waited(0);; waited += kPause) {
    Result<Fd> listening = listen_on(address, options);
    if (listening || errno != EADDRINUSE || waited >= kPatience) return listening;
    std::this_thread::sleep_for(kPause);
  }
}

// For functions that may connect to somewhere.
Result<void> read_own_addresses(ServeOptions& options) {
  std::vector<FunctionSettings*> connecting{&options.defaults};
  for (auto& [name, settings] : options.functions) connecting.push_back(&settings);
  std::erase_if(connecting, [](const auto* settings) { return settings->outbound.empty(); });
  if (connecting.empty()) return {};
  const std::vector<IpAddress> own = NUR_TRY(own_addresses());
  for (FunctionSettings* const settings : connecting) settings->own_addresses = own;
  return {};
}

Result<std::string> read_profile(const Fd& file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || status.st_size == 0) {
    return fail(ErrorKind::not_found, "the worker left no counts");
  }
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  if (::pread(file.get(), bytes.data(), bytes.size(), 0) != status.st_size) {
    return fail(ErrorKind::internal, "{}", system_error_text("reading a profile"));
  }
  return bytes;
}

class Master final : public WorkerOwner {
 public:
  static Result<std::unique_ptr<Master>> open(const ServeOptions& options);
  ~Master() override;

  Result<void> run();

 private:
  Master(const ServeOptions& options, std::unique_ptr<EventLoop> loop, SharedState shared,
         Fd listening, std::string address, std::vector<Fd> tcp_listening,
         std::optional<Account> account);

  Result<void> start(WorkerProcess& worker);
  Result<void> find_functions();
  // Starts the key-value store, if some function uses it.
  Result<void> begin_store();
  // Starts the process of uploads, if there are to be any.
  Result<void> begin_upload();
  // Errors: not_found, invalid_input.
  Result<void> check_tcp_bindings() const;
  void close_doors();
  Result<void> prepare_profiles();
  Result<void> write_profiles() const;

  void deploy_to(WorkerProcess& worker) override;
  void on_message(WorkerProcess& worker, const Message& message) override;
  void restart(WorkerProcess& worker) override;

  void on_signal(int signal);
  void bury_the_dead();
  void end_hanging_workers();
  void on_death(WorkerProcess& worker, int status);
  void say_when_all_are_ready();
  void drain(int signal);
  void stop_at_once(std::string_view reason);
  void end_when_all_are_gone();
  [[nodiscard]] Nanoseconds timeout_of(std::uint32_t account) const;
  [[nodiscard]] std::size_t functions_served() const;
  [[nodiscard]] ServerCounters counters(ServerCounters WorkerPage::*of) const;

  const ServeOptions& options_;
  std::unique_ptr<EventLoop> loop_;
  const SharedState shared_;
  Quarantine quarantine_;
  Fd listening_;
  const std::string address_;
  std::vector<Fd> tcp_listening_;  // as options.tcp
  const std::optional<Account> account_;
  std::vector<Deployed> functions_;
  bool all_found_ = false;
  std::size_t deaths_at_start_ = 0;
  bool serving_ = false;  // it was said that all are ready
  bool draining_ = false;
  bool stopping_ = false;
  std::optional<Error> start_failed_;
  std::vector<std::unique_ptr<WorkerProcess>> workers_;
  std::unique_ptr<StoreSupervisor> store_;    // if some function uses it
  std::unique_ptr<UploadSupervisor> upload_;  // if there are uploads
  std::unique_ptr<SignalWatch> signals_;
  Timer overdue_;
  Timer door_closes_;
  Timer grace_over_;
  Timer look_after_;
};

const SystemClock system_clock;

Result<std::unique_ptr<Master>> Master::open(const ServeOptions& options) {
  std::optional<Account> account = NUR_TRY(account_of_workers(options.user));
  std::unique_ptr<EventLoop> loop = NUR_TRY(EventLoop::open(system_clock));
  SharedState shared = NUR_TRY(SharedState::map(options.workers));
  const SocketAddress wanted = NUR_TRY(parse_address(options.server.address));
  Fd listening = NUR_TRY(listen_when_free(wanted, options.server.listen));
  SocketAddress address;
  address.bytes = sizeof address.storage;
  if (::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address.storage),
                    &address.bytes) != 0) {
    return fail(ErrorKind::internal, "{}", system_error_text("reading a listener's address"));
  }
  std::vector<Fd> tcp_listening;
  for (const TcpBinding& binding : options.tcp) {
    const SocketAddress at = NUR_TRY(parse_address(binding.address));
    tcp_listening.push_back(
        NUR_TRY(in_context(listen_when_free(at, options.server.listen), "--tcp")));
  }
  std::unique_ptr<Master> master(new Master(options, std::move(loop), std::move(shared),
                                            std::move(listening), to_string(address),
                                            std::move(tcp_listening), std::move(account)));
  // Before the first worker: what it does at signals it says itself.
  master->signals_ =
      NUR_TRY(SignalWatch::open(*master->loop_, {SIGTERM, SIGINT, SIGCHLD},
                                [m = master.get()](int signal) { m->on_signal(signal); }));
  return master;
}

Master::Master(const ServeOptions& options, std::unique_ptr<EventLoop> loop, SharedState shared,
               Fd listening, std::string address, std::vector<Fd> tcp_listening,
               std::optional<Account> account)
    : options_(options),
      loop_(std::move(loop)),
      shared_(std::move(shared)),
      quarantine_(shared_.quarantine()),
      listening_(std::move(listening)),
      address_(std::move(address)),
      tcp_listening_(std::move(tcp_listening)),
      account_(std::move(account)),
      overdue_(loop_->timers(), [this] { stop_at_once("requests are still in flight"); }),
      door_closes_(loop_->timers(), [this] { close_doors(); }),
      grace_over_(loop_->timers(),
                  [this] {
                    for (const auto& worker : workers_) {
                      if (worker->is_running()) ::kill(worker->pid, SIGKILL);
                    }
                  }),
      look_after_(loop_->timers(), [this] { end_hanging_workers(); }) {
  for (std::size_t i = 0; i < options.workers; ++i) {
    workers_.push_back(std::make_unique<WorkerProcess>(*loop_, *this, shared_.page(i)));
  }
}

// Workers that are still there belong to a start that failed.
Master::~Master() {
  for (const auto& worker : workers_) {
    if (!worker->is_running()) continue;
    ::kill(worker->pid, SIGKILL);
    ::waitpid(worker->pid, nullptr, 0);
  }
}

Result<void> Master::run() {
  look_after_.set(loop_->now() + kLookAfter);
  for (const auto& worker : workers_) NUR_TRY(start(*worker));
  // While files are verified here, those that are already go to the workers.
  NUR_TRY(find_functions());
  NUR_TRY(check_tcp_bindings());
  if (options_.profiles) NUR_TRY(prepare_profiles());
  NUR_TRY(begin_store());
  NUR_TRY(begin_upload());
  all_found_ = true;
  for (const auto& worker : workers_) deploy_to(*worker);

  NUR_TRY(loop_->run());
  if (start_failed_) return std::unexpected(*start_failed_);
  if (options_.tcp.empty()) {
    spdlog::info("stopped after {} request(s)", counters(&WorkerPage::http).requests);
  } else {
    spdlog::info("stopped after {} request(s) and {} connection(s) of --tcp",
                 counters(&WorkerPage::http).requests, counters(&WorkerPage::tcp).requests);
  }
  if (options_.profiles) NUR_TRY(write_profiles());
  return {};
}

Result<void> Master::start(WorkerProcess& worker) {
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
    for (const Fd& listening : tcp_listening_) tcp_listening.emplace_back(listening.get());
    run_worker({.options = options_,
                .channel = std::move(theirs),
                .listening = Fd(listening_.get()),
                .tcp_listening = std::move(tcp_listening),
                .page = worker.page,
                .others = std::move(others),
                .quarantine = shared_.quarantine(),
                .master = self,
                .account = account_});
  }
  return worker.began(pid, std::move(ours));
}

Result<void> Master::begin_store() {
  std::map<std::string, std::optional<std::uint64_t>, std::less<>> users;
  for (const Deployed& function : functions_) {
    const auto stores = [](const ManifestImport& import) {
      return import.module == "env" && import.name.starts_with("kv_");
    };
    if (std::ranges::any_of(function.artefact.manifest.imports, stores)) {
      users[function.name] = options_.settings_of(function.name).limits.kv_bytes_max;
    }
  }
  if (users.empty()) return {};
  if (options_.data) {
    NUR_TRY(prepare_store_folder(*options_.data, account_));
  } else {
    spdlog::warn("what functions store is kept in memory, until the end; --data DIR keeps it");
  }
  store_ = std::make_unique<StoreSupervisor>(
      *loop_,
      StoreSupervisor::Options{.folder = options_.data,
                               .limits = shared_out(options_.kv, users, !options_.data),
                               .account = account_,
                               .fault = shared_.store_fault()},
      [this] {
        for (const auto& worker : workers_) {
          if (worker->is_running()) deploy_to(*worker);
        }
      });
  return store_->begin();
}

Result<void> Master::begin_upload() {
  if (!options_.upload) return {};
  const SocketAddress wanted = NUR_TRY(parse_address(options_.upload->address));
  Fd listening = NUR_TRY(in_context(listen_when_free(wanted, {.accepts_per_turn = 1}), "--upload"));
  upload_ = std::make_unique<UploadSupervisor>(*loop_, *options_.upload, std::move(listening),
                                               shared_.upload_fault());
  NUR_TRY(upload_->begin());
  const SocketAddress at = upload_->address();
  if (!at.is_loopback()) {
    spdlog::warn(
        "--upload {}: token and functions cross the network unencrypted; listen on 127.0.0.1, "
        "behind a proxy with TLS or an SSH tunnel",
        to_string(at));
  }
  spdlog::info("taking uploads to {} on http://{}", options_.upload->folder->string(),
               to_string(at));
  return {};
}

Result<void> Master::find_functions() {
  const auto refuse = [](const Path& file, const Error& reason) {
    spdlog::error("not serving {}: {}", file.string(), reason.message);
  };
  const auto take = [&](const std::string& name, const Path& file, VerifiedArtefact artefact) {
    if (functions_.size() == kFunctionsMax) {
      return refuse(file, {ErrorKind::limit_exceeded,
                           fmt::format("refused by rule count: {} functions are served already",
                                       kFunctionsMax)});
    }
    if (artefact.manifest.profile_generate) {
      spdlog::warn(
          "function {}: counts for a profile (nurc compile --profile-generate), and is slower",
          name);
    }
    const auto number = static_cast<std::uint32_t>(functions_.size());
    functions_.push_back({.number = number,
                          .name = name,
                          .path = file,
                          .artefact = std::move(artefact),
                          .profile = {}});
    if (options_.profiles && functions_.back().artefact.manifest.profile_generate) {
      functions_.back().profile = Fd(::memfd_create("profile", MFD_CLOEXEC));
    }
    for (const auto& worker : workers_) deploy_to(*worker);
  };
  return verify_artefacts(options_.named, options_.paths, take, refuse);
}

Result<void> Master::check_tcp_bindings() const {
  for (const TcpBinding& binding : options_.tcp) {
    const auto found = std::ranges::find(functions_, binding.function, &Deployed::name);
    const std::string what =
        fmt::format("--tcp {}={}", binding.address, printable(binding.function, 200));
    if (found == functions_.end()) {
      std::string known;
      for (const Deployed& function : functions_) {
        known += (known.empty() ? "" : ", ") + printable(function.name, 64);
      }
      return fail(ErrorKind::not_found, "{}: no such function; there {}", what,
                  known.empty() ? "is none" : "are " + known);
    }
    const GuestAbi abi = found->artefact.manifest.guest_abi;
    if (abi != GuestAbi::nur) {
      return fail(ErrorKind::invalid_input,
                  "{}: the function is of the {} ABI; only one of the nur ABI takes a stream of "
                  "bytes",
                  what, to_string(abi));
    }
  }
  return {};
}

void Master::close_doors() {
  ::shutdown(listening_.get(), SHUT_RDWR);
  listening_.reset();
  for (Fd& listening : tcp_listening_) {
    ::shutdown(listening.get(), SHUT_RDWR);
    listening.reset();
  }
}

void Master::deploy_to(WorkerProcess& worker) {
  while (worker.deployed < functions_.size()) {
    const Deployed& function = functions_[worker.deployed];
    // One that brought a worker down while it was loaded would do so again.
    const bool skipped =
        function.refused || shared_.quarantine().holds(function.number, loop_->now());
    if (!skipped) {
      const DeployMessage message{.number = function.number,
                                  .name = function.name,
                                  .file_name = function.artefact.file_name,
                                  .facts = function.artefact.facts,
                                  .wants_profile = function.profile.is_open()};
      const int file = function.artefact.file.get();
      const bool sent = message.wants_profile ? worker.send(message, {file, function.profile.get()})
                                              : worker.send(message, {file});
      if (!sent) return;
    }
    ++worker.deployed;
  }
  if (all_found_ && store_ != nullptr && !store_->connect(worker)) return;
  if (all_found_ && !worker.told_to_serve) worker.told_to_serve = worker.send(ServeMessage{});
}

void Master::on_message(WorkerProcess& worker, const Message& message) {
  if (const auto* const refused = std::get_if<RefusedMessage>(&message)) {
    if (refused->number >= functions_.size()) return;
    Deployed& function = functions_[refused->number];
    if (function.refused) return;  // another worker has said so
    function.refused = true;
    spdlog::error("not serving {}: {}", function.path.string(), printable(refused->reason));
  }
  if (std::holds_alternative<ReadyMessage>(message)) {
    worker.ready = worker.was_ever_ready = true;
    if (draining_) worker.send(DrainMessage{});
    say_when_all_are_ready();
  }
}

void Master::say_when_all_are_ready() {
  if (serving_ || draining_) return;
  for (const auto& worker : workers_) {
    if (!worker->was_ever_ready) return;
  }
  serving_ = true;
  if (functions_served() == 0 && options_.static_replies.empty())
    spdlog::warn("there is no function to serve");
  for (std::size_t i = 0; i < options_.tcp.size(); ++i) {
    SocketAddress at;
    at.bytes = sizeof at.storage;
    ::getsockname(tcp_listening_[i].get(), reinterpret_cast<sockaddr*>(&at.storage), &at.bytes);
    spdlog::info("serving {} on tcp://{}", printable(options_.tcp[i].function), to_string(at));
  }
  spdlog::info("serving {} function(s) on http://{}", functions_served(), address_);
}

void Master::on_signal(int signal) {
  if (signal == SIGCHLD) return bury_the_dead();
  if (draining_) {
    stop_at_once("a second signal came");
  } else {
    drain(signal);
  }
}

void Master::bury_the_dead() {
  if (store_ != nullptr && store_->bury()) {
    for (const auto& worker : workers_) worker->knows_store = false;
  }
  if (upload_ != nullptr) upload_->bury();
  for (const auto& worker : workers_) {
    int status = 0;
    if (!worker->is_running() || ::waitpid(worker->pid, &status, WNOHANG) != worker->pid) continue;
    on_death(*worker, status);
  }
  if (draining_) end_when_all_are_gone();
}

// Of the function that a worker is on the account of, as its page has it.
Nanoseconds Master::timeout_of(std::uint32_t account) const {
  const FunctionSettings& settings = account <= functions_.size()
                                         ? options_.settings_of(functions_[account - 1].name)
                                         : options_.defaults;
  return settings.limits.time.timeout;
}

void Master::end_hanging_workers() {
  look_after_.set(loop_->now() + kLookAfter);
  for (const auto& worker : workers_) {
    if (!worker->is_running()) continue;
    const std::uint32_t account = worker->page.function;
    if (account == 0 || worker->page.turns != worker->turns_seen) {
      worker->turns_seen = worker->page.turns;
      worker->turned_at = loop_->now();
    } else if (loop_->now() - worker->turned_at > timeout_of(account) + kHangs) {
      spdlog::error("worker {} hangs: ending it", worker->pid);
      ::kill(worker->pid, SIGABRT);
    }
  }
}

void Master::on_death(WorkerProcess& worker, int status) {
  const pid_t pid = worker.pid;
  const bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  const std::uint32_t account = worker.page.function;
  worker.ended();
  worker.page.http.active = worker.page.tcp.active = kNotServing;
  if (well && draining_) return;

  const bool in_function = account > 0 && account <= functions_.size();
  const std::string by =
      in_function ? fmt::format(", in function {}", functions_[account - 1].name) : std::string();
  if (!stopping_) {
    spdlog::error("worker {} died: {}{}", pid, explain_death(status, worker.page.fault), by);
  }
  if (in_function && is_own_fault(status) && quarantine_.on_death(account - 1, loop_->now())) {
    spdlog::error(
        "function {}: quarantined for {} minutes: it has brought down its worker {} times "
        "in a minute",
        functions_[account - 1].name, Quarantine::kLasts.count(), Quarantine::kDeaths);
  }
  if (draining_) return;
  // Before the first request it is nobody's function that a worker dies of.
  if (!serving_ && !in_function && (WIFEXITED(status) || ++deaths_at_start_ > kDeathsAtStartMax)) {
    start_failed_ = Error{ErrorKind::internal, "no worker could start"};
    return loop_->stop();
  }
  worker.restart_after(worker.delay.on_death(loop_->now()));
}

void Master::restart(WorkerProcess& worker) {
  if (draining_) return;
  const Result<void> started = start(worker);
  if (!started) {
    spdlog::error("{}", started.error().message);
    worker.restart_after(RestartDelay::kMost);
    return;
  }
  deploy_to(worker);
}

void Master::drain(int signal) {
  draining_ = true;
  spdlog::info("signal {}: finishing what is in flight", signal);
  for (const auto& worker : workers_) {
    worker->restart_never();
    // One that is still loading has nothing in flight; at its next message it ends.
    worker->send(DrainMessage{});
  }
  if (upload_ != nullptr) upload_->drain();
  overdue_.set(loop_->now() + options_.drain_timeout);
  door_closes_.set(loop_->now() + kDoorCloses);
  end_when_all_are_gone();
}

void Master::stop_at_once(std::string_view reason) {
  if (stopping_) return;
  stopping_ = true;
  if (store_ != nullptr) store_->end();
  if (upload_ != nullptr) upload_->stop();
  spdlog::warn("stopping at once: {}", reason);
  for (const auto& worker : workers_) worker->send(StopMessage{});
  grace_over_.set(loop_->now() + kGrace);
}

void Master::end_when_all_are_gone() {
  for (const auto& worker : workers_) {
    if (worker->is_running()) return;
  }
  if (upload_ != nullptr && upload_->pid() != 0) return;
  loop_->stop();
}

std::size_t Master::functions_served() const {
  std::size_t count = 0;
  for (const Deployed& function : functions_) count += function.refused ? 0 : 1;
  return count;
}

ServerCounters Master::counters(ServerCounters WorkerPage::*of) const {
  ServerCounters sum;
  for (const auto& worker : workers_) sum += worker->page.*of;
  return sum;
}

Result<void> Master::prepare_profiles() {
  std::vector<ProfileSource> sources;
  for (const Deployed& function : functions_) {
    sources.push_back({function.name, function.artefact.manifest.profile_generate});
  }
  return nur::prepare_profiles(sources, *options_.profiles);
}

Result<void> Master::write_profiles() const {
  Result<void> result;
  for (const Deployed& function : functions_) {
    if (!function.profile.is_open()) continue;
    const auto write = [&]() -> Result<void> {
      const std::string profile =
          NUR_TRY(in_context(read_profile(function.profile), "function " + function.name));
      return publish_file(*options_.profiles / (function.name + ".profile"), profile);
    };
    const Result<void> written = write();
    if (!written && result) result = written;
  }
  return result;
}

}  // namespace

std::size_t processors_here() {
  cpu_set_t processors;
  if (::sched_getaffinity(0, sizeof processors, &processors) != 0) return 1;
  return static_cast<std::size_t>(std::max(CPU_COUNT(&processors), 1));
}

Result<void> serve(const ServeOptions& asked) {
  ::signal(SIGPIPE, SIG_IGN);
  ServeOptions options = asked;
  options.server.descriptors_max = raise_descriptor_limit();
  if (options.upload) {
    options.upload->folder = NUR_TRY(upload_folder_of(options.upload->folder, options.paths));
  }
  // Each worker makes its own; whether they can be made is known before there is one.
  struct Nobody final : RequestHandler {
    void handle(Exchange&) override {}
  } nobody;
  NUR_TRY(in_context(StaticReplies::create(options.static_replies, nobody), "--static-reply"));
  if (options.nebula.routes && options.nebula.history) {
    options.nebula_history =
        NUR_TRY(in_context(NebulaHistory::open(options.nebula.data), "[nebula]"));
  }
  // Before workers become somebody who may not reach them.
  NUR_TRY(open_directories(options.defaults));
  for (auto& [name, settings] : options.functions) {
    NUR_TRY(in_context(open_directories(settings), "function " + name));
  }
  NUR_TRY(read_own_addresses(options));
  const std::unique_ptr<Master> master = NUR_TRY(Master::open(options));
  return master->run();
}

}  // namespace nur
