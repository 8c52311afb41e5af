#include "host/process/master.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <map>
#include <memory>
#include <sched.h>
#include <set>
#include <sys/mman.h>
#include <sys/prctl.h>
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
#include "host/process/folder_watch.h"
#include "host/process/generation.h"
#include "host/process/store_supervisor.h"
#include "host/process/upload_supervisor.h"
#include "host/serve/profile.h"

namespace nur {
namespace {

// Behind an order to drain, until nobody is let in any more though a worker may not have read it.
constexpr Milliseconds kDoorCloses(100);

// How often hanging workers are looked for.
constexpr Milliseconds kLookAfter(1000);

// Of a reload: behind the last change, and at most behind the first one; between two.
constexpr Milliseconds kSettles(200);
constexpr Milliseconds kSettlesWithin(1000);
constexpr Milliseconds kBetweenReloads(1000);
// Clients that have a connection to workers that end, and no request, may have sent one.
constexpr Milliseconds kIdleStays(1000);
// Generations that finish what they have; a further reload waits for one of them.
constexpr std::size_t kRetiringMax = 2;
// Names of a kind in the log line of a reload.
constexpr std::size_t kNamesLogged = 8;

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

// Where files are the same, nothing of what they say has changed.
std::vector<std::optional<FileIdentity>> identities_of(const std::vector<Path>& files) {
  std::vector<std::optional<FileIdentity>> identities;
  for (const Path& file : files) identities.push_back(FileIdentity::of(file));
  return identities;
}

bool are_same(const std::vector<std::optional<FileIdentity>>& before,
              const std::vector<std::optional<FileIdentity>>& now) {
  return std::ranges::equal(before, now, [](const auto& one, const auto& other) {
    return one.has_value() == other.has_value() && (!one || one->is_same_as(*other));
  });
}

// What a reload does, by names of functions.
struct Changes {
  std::vector<std::string> added;
  std::vector<std::string> changed;
  std::vector<std::string> removed;
  std::vector<std::string> refused;

  [[nodiscard]] bool is_none() const { return added.empty() && changed.empty() && removed.empty(); }
};

std::string to_string(const Changes& changes) {
  std::string text;
  const auto add = [&text](const char* what, const std::vector<std::string>& names) {
    if (names.empty()) return;
    text += fmt::format("{}{} ", text.empty() ? "" : "; ", what);
    for (std::size_t i = 0; i < std::min(names.size(), kNamesLogged); ++i) {
      text += (i == 0 ? "" : ", ") + printable(names[i], 64);
    }
    if (names.size() > kNamesLogged) {
      text += fmt::format(" and {} more", names.size() - kNamesLogged);
    }
  };
  add("added", changes.added);
  add("changed", changes.changed);
  add("removed", changes.removed);
  add("refused", changes.refused);
  return text.empty() ? "no function has changed" : text;
}

// What the master opens for workers, before they become somebody who may not reach it. `last` is
// what was opened for those before, nullptr for none.
Result<void> open_for_workers(ServeOptions& options, const ServeOptions* last) {
  if (options.nebula.routes && options.nebula.history) {
    const bool is_there = last != nullptr && last->nebula_history != nullptr &&
                          last->nebula.data == options.nebula.data;
    options.nebula_history =
        is_there ? last->nebula_history
                 : NUR_TRY(in_context(NebulaHistory::open(options.nebula.data), "[nebula]"));
  }
  NUR_TRY(open_directories(options.defaults));
  for (auto& [name, settings] : options.functions) {
    NUR_TRY(in_context(open_directories(settings), "function " + name));
  }
  return read_own_addresses(options);
}

// Kills the process that compiles, and what it runs.
class Compilation {
 public:
  ~Compilation() { end(); }
  // Errors: those of fork(2).
  Result<void> begin(Reloading& reloading);
  // Whether it was there, and is no more.
  bool bury() {
    if (pid_ == 0 || ::waitpid(pid_, nullptr, WNOHANG) != pid_) return false;
    pid_ = 0;
    return true;
  }
  void end() {
    if (pid_ == 0) return;
    ::kill(-pid_, SIGTERM);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  [[nodiscard]] bool is_running() const { return pid_ != 0; }

 private:
  pid_t pid_ = 0;
};

Result<void> Compilation::begin(Reloading& reloading) {
  const pid_t master = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(ErrorKind::exhausted, "{}", system_error_text("compiling modules"));
  if (pid > 0) {
    pid_ = pid;
    ::setpgid(pid, pid);
    return {};
  }
  ::setpgid(0, 0);
  // The address is not for it to hold.
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_NAME, "nurhost-compile");
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() == master) reloading.compile();
  ::_exit(0);
}

class Master final : public GenerationOwner {
 public:
  // `reloading` outlives the master.
  static Result<std::unique_ptr<Master>> open(ServeOptions options, Reloading& reloading);

  Result<void> run();

 private:
  Master(ServeOptions options, Reloading& reloading, std::unique_ptr<EventLoop> loop,
         SharedState shared, Doors doors, std::optional<Account> account);

  // Functions of `into.options()`, those that are the same as in `last` taken from there.
  Result<void> find_functions(Generation& into, const Generation* last, Changes& changes) const;
  // Starts the key-value store, if some function uses it.
  Result<void> begin_store(const Generation& of);
  // Starts the process of uploads, if there are to be any.
  Result<void> begin_upload();
  // Errors: not_found, invalid_input.
  static Result<void> check_tcp_bindings(const Generation& generation);
  void close_doors();
  Result<void> prepare_profiles() const;
  Result<void> write_profiles() const;

  void on_ready(Generation& generation) override;
  void on_failed(Generation& generation, const Error& reason) override;
  bool connect_store(WorkerProcess& worker) override;

  void on_signal(int signal);
  void bury_the_dead();
  void forget(std::unique_ptr<Generation>& generation);
  void say_that_it_serves() const;

  void on_hangup();
  void on_change();
  void ask_for_reload(TimePoint at);
  void reload();
  void reload_compiled();
  Result<void> begin_next();
  void end_reload();

  void drain(int signal);
  void stop_at_once(std::string_view reason);
  void end_when_all_are_gone();
  [[nodiscard]] std::vector<Generation*> generations() const;
  [[nodiscard]] ServerCounters counters(ServerCounters WorkerPage::*of) const;

  Reloading& reloading_;
  std::unique_ptr<EventLoop> loop_;
  const SharedState shared_;  // with the store
  Doors doors_;
  const std::optional<Account> account_;
  ServeOptions first_options_;  // until the first generation has them
  std::unique_ptr<Generation> current_;
  std::unique_ptr<Generation> next_;  // its workers start
  std::vector<std::unique_ptr<Generation>> retiring_;
  ServerCounters http_of_the_gone_;
  ServerCounters tcp_of_the_gone_;
  bool serving_ = false;  // it was said that all are ready
  bool draining_ = false;
  bool stopping_ = false;
  std::optional<Error> start_failed_;
  std::unique_ptr<StoreSupervisor> store_;  // if some function uses it
  std::optional<UploadOptions> upload_options_;
  std::unique_ptr<UploadSupervisor> upload_;  // if there are uploads
  std::unique_ptr<SignalWatch> signals_;
  std::unique_ptr<FolderWatch> folders_;  // if they are watched
  Compilation compilation_;
  bool is_asked_ = false;    // a reload was asked for, and has not begun
  bool is_ordered_ = false;  // by a signal
  bool is_reloading_ = false;
  std::optional<TimePoint> first_change_;  // of those that a reload was asked for
  TimePoint reload_began_{};
  Changes changes_;                                    // of the reload
  std::vector<std::optional<FileIdentity>> settings_;  // of `current_`, as the files were
  std::vector<std::optional<FileIdentity>> settings_next_;
  Timer reload_;
  Timer overdue_;
  Timer door_closes_;
  Timer look_after_;
};

const SystemClock system_clock;

Result<std::unique_ptr<Master>> Master::open(ServeOptions options, Reloading& reloading) {
  std::optional<Account> account = NUR_TRY(account_of_workers(options.user));
  std::unique_ptr<EventLoop> loop = NUR_TRY(EventLoop::open(system_clock));
  SharedState shared = NUR_TRY(SharedState::map(0));
  const SocketAddress wanted = NUR_TRY(parse_address(options.server.address));
  Doors doors;
  doors.listening = NUR_TRY(listen_when_free(wanted, options.server.listen));
  SocketAddress address;
  address.bytes = sizeof address.storage;
  if (::getsockname(doors.listening.get(), reinterpret_cast<sockaddr*>(&address.storage),
                    &address.bytes) != 0) {
    return fail(ErrorKind::internal, "{}", system_error_text("reading a listener's address"));
  }
  doors.address = to_string(address);
  for (const TcpBinding& binding : options.tcp) {
    const SocketAddress at = NUR_TRY(parse_address(binding.address));
    doors.tcp.push_back(NUR_TRY(in_context(listen_when_free(at, options.server.listen), "--tcp")));
  }
  std::unique_ptr<Master> master(new Master(std::move(options), reloading, std::move(loop),
                                            std::move(shared), std::move(doors),
                                            std::move(account)));
  // Before the first worker: what it does at signals it says itself.
  master->signals_ =
      NUR_TRY(SignalWatch::open(*master->loop_, {SIGTERM, SIGINT, SIGCHLD, SIGHUP},
                                [m = master.get()](int signal) { m->on_signal(signal); }));
  const ServeOptions& first = master->first_options_;
  if (first.watch && !first.profiles && !first.sources.folders.empty()) {
    auto folders = FolderWatch::open(*master->loop_, [m = master.get()] { m->on_change(); });
    if (folders) {
      master->folders_ = *std::move(folders);
      master->folders_->set(first.sources.folders);
    } else {
      spdlog::warn("not watching folders: {}; SIGHUP has what changes served",
                   folders.error().message);
    }
  }
  return master;
}

Master::Master(ServeOptions options, Reloading& reloading, std::unique_ptr<EventLoop> loop,
               SharedState shared, Doors doors, std::optional<Account> account)
    : reloading_(reloading),
      loop_(std::move(loop)),
      shared_(std::move(shared)),
      doors_(std::move(doors)),
      account_(std::move(account)),
      first_options_(std::move(options)),
      reload_(loop_->timers(), [this] { reload(); }),
      overdue_(loop_->timers(), [this] { stop_at_once("requests are still in flight"); }),
      door_closes_(loop_->timers(), [this] { close_doors(); }),
      look_after_(loop_->timers(), [this] {
        look_after_.set(loop_->now() + kLookAfter);
        for (Generation* const generation : generations()) generation->end_hanging_workers();
      }) {}

Result<void> Master::run() {
  look_after_.set(loop_->now() + kLookAfter);
  settings_ = identities_of(first_options_.sources.settings);
  current_ = NUR_TRY(Generation::create(*loop_, *this, doors_, account_, std::move(first_options_),
                                        /*is_first=*/true));
  NUR_TRY(current_->start());
  // While files are verified here, those that are already go to the workers.
  NUR_TRY(find_functions(*current_, nullptr, changes_));
  NUR_TRY(check_tcp_bindings(*current_));
  const bool profiles = current_->options().profiles.has_value();
  if (profiles) NUR_TRY(prepare_profiles());
  NUR_TRY(begin_store(*current_));
  upload_options_ = current_->options().upload;
  if (upload_options_) NUR_TRY(begin_upload());
  current_->serve();

  NUR_TRY(loop_->run());
  if (start_failed_) return std::unexpected(*start_failed_);
  if (current_->options().tcp.empty()) {
    spdlog::info("stopped after {} request(s)", counters(&WorkerPage::http).requests);
  } else {
    spdlog::info("stopped after {} request(s) and {} connection(s) of --tcp",
                 counters(&WorkerPage::http).requests, counters(&WorkerPage::tcp).requests);
  }
  if (profiles) NUR_TRY(write_profiles());
  return {};
}

Result<void> Master::begin_store(const Generation& of) {
  const ServeOptions& options = of.options();
  std::map<std::string, std::optional<std::uint64_t>, std::less<>> users;
  for (const Deployed& function : of.functions()) {
    const auto stores = [](const ManifestImport& import) {
      return import.module == "env" && import.name.starts_with("kv_");
    };
    if (std::ranges::any_of(function.artefact->manifest.imports, stores)) {
      users[function.name] = options.settings_of(function.name).limits.kv_bytes_max;
    }
  }
  if (users.empty()) return {};
  if (options.data) {
    NUR_TRY(prepare_store_folder(*options.data, account_));
  } else {
    spdlog::warn("what functions store is kept in memory, until the end; --data DIR keeps it");
  }
  auto store = std::make_unique<StoreSupervisor>(
      *loop_,
      StoreSupervisor::Options{.folder = options.data,
                               .limits = shared_out(options.kv, users, !options.data),
                               .account = account_,
                               .fault = shared_.store_fault()},
      [this] {
        for (Generation* const generation : generations()) generation->deploy_to_all();
      });
  NUR_TRY(store->begin());
  store_ = std::move(store);
  return {};
}

Result<void> Master::begin_upload() {
  const SocketAddress wanted = NUR_TRY(parse_address(upload_options_->address));
  Fd listening = NUR_TRY(in_context(listen_when_free(wanted, {.accepts_per_turn = 1}), "--upload"));
  upload_ = std::make_unique<UploadSupervisor>(*loop_, *upload_options_, std::move(listening),
                                               shared_.upload_fault());
  NUR_TRY(upload_->begin());
  const SocketAddress at = upload_->address();
  if (!at.is_loopback()) {
    spdlog::warn(
        "--upload {}: token and functions cross the network unencrypted; listen on 127.0.0.1, "
        "behind a proxy with TLS or an SSH tunnel",
        to_string(at));
  }
  spdlog::info("taking uploads to {} on http://{}", upload_options_->folder->string(),
               to_string(at));
  return {};
}

bool Master::connect_store(WorkerProcess& worker) {
  return store_ == nullptr || store_->connect(worker);
}

Result<void> Master::find_functions(Generation& into, const Generation* last,
                                    Changes& changes) const {
  const ServeOptions& options = into.options();
  std::map<std::string_view, const Deployed*> before;
  if (last != nullptr) {
    for (const Deployed& function : last->functions()) before[function.name] = &function;
  }
  const auto of_before = [&](const std::string& name) -> const Deployed* {
    const auto found = before.find(name);
    return found == before.end() ? nullptr : found->second;
  };
  std::set<std::string> names;
  std::map<std::string, Path> refused;
  const auto refuse = [&](const Path& file, const Error& reason) {
    spdlog::error("not serving {}: {}", file.string(), reason.message);
    refused.emplace(file.stem().string(), file);
  };
  const auto add = [&](Deployed function) {
    if (into.functions().size() == kFunctionsMax) {
      return refuse(
          function.path,
          {ErrorKind::limit_exceeded,
           fmt::format("refused by rule count: {} functions are served already", kFunctionsMax)});
    }
    if (options.profiles && function.artefact->manifest.profile_generate) {
      function.profile = Fd(::memfd_create("profile", MFD_CLOEXEC));
    }
    const Deployed* const same = of_before(function.name);
    if (same == nullptr) {
      changes.added.push_back(function.name);
    } else if (function.is_new) {
      changes.changed.push_back(function.name);
    }
    names.insert(function.name);
    into.add(std::move(function), last, same);
  };
  // As it was before, and is still.
  const auto keep = [&](const Deployed& function, const Path& path, const Path& source,
                        const std::optional<FileIdentity>& identity) {
    if (function.rejected) changes.refused.push_back(function.name);
    add({.name = function.name,
         .path = path,
         .source = source,
         .identity = identity,
         .artefact = function.artefact,
         .last_good = nullptr,
         .rejected = function.rejected,
         .profile = {},
         .is_new = false,
         .refused = std::nullopt});
  };

  NamedArtefact reading;
  std::optional<FileIdentity> identity;
  const auto is_known = [&](const NamedArtefact& file) {
    reading = file;
    identity = FileIdentity::of(file.path);
    const Deployed* const same = of_before(file.name);
    if (same == nullptr || same->source != file.path || !identity || !same->identity ||
        !identity->is_surely(*same->identity)) {
      return false;
    }
    keep(*same, file.shown, file.path, identity);
    return true;
  };
  const auto take = [&](const std::string& name, const Path& file, VerifiedArtefact artefact) {
    if (artefact.manifest.profile_generate) {
      spdlog::warn(
          "function {}: counts for a profile (nurc compile --profile-generate), and is slower",
          name);
    }
    const Deployed* const same = of_before(name);
    if (same != nullptr && (artefact.is_same_as(*same->artefact) ||
                            (same->rejected && artefact.is_same_as(*same->rejected)))) {
      // Of rejected ones that were put back, the reason is gone.
      Deployed kept{.name = name,
                    .path = {},
                    .source = {},
                    .identity = {},
                    .artefact = same->artefact,
                    .last_good = nullptr,
                    .rejected = same->rejected,
                    .profile = {},
                    .is_new = false,
                    .refused = std::nullopt};
      if (artefact.is_same_as(*same->artefact)) kept.rejected = nullptr;
      return keep(kept, file, reading.path, identity);
    }
    const bool has_last = same != nullptr && !same->refused;
    add({.name = name,
         .path = file,
         .source = reading.path,
         .identity = identity,
         .artefact = std::make_shared<const VerifiedArtefact>(std::move(artefact)),
         .last_good = has_last ? same->artefact : nullptr,
         .rejected = nullptr,
         .profile = {},
         .is_new = true,
         .refused = std::nullopt});
  };
  NUR_TRY(verify_artefacts(options.named, options.paths, take, refuse, is_known));

  for (const auto& [name, file] : refused) {
    changes.refused.push_back(name);
    const Deployed* const same = of_before(name);
    if (same == nullptr || same->refused || names.contains(name)) continue;
    spdlog::warn("function {}: what was there before is served on", name);
    // Without an identity: it is not what the file is now.
    keep(*same, file, {}, std::nullopt);
  }
  for (const auto& [name, function] : before) {
    if (!names.contains(std::string(name))) changes.removed.emplace_back(name);
  }
  return {};
}

Result<void> Master::check_tcp_bindings(const Generation& generation) {
  for (const TcpBinding& binding : generation.options().tcp) {
    const Deployed* const found = generation.find(binding.function);
    const std::string what =
        fmt::format("--tcp {}={}", binding.address, printable(binding.function, 200));
    if (found == nullptr) {
      std::string known;
      for (const Deployed& function : generation.functions()) {
        known += (known.empty() ? "" : ", ") + printable(function.name, 64);
      }
      return fail(ErrorKind::not_found, "{}: no such function; there {}", what,
                  known.empty() ? "is none" : "are " + known);
    }
    const GuestAbi abi = found->artefact->manifest.guest_abi;
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
  ::shutdown(doors_.listening.get(), SHUT_RDWR);
  doors_.listening.reset();
  for (Fd& listening : doors_.tcp) {
    ::shutdown(listening.get(), SHUT_RDWR);
    listening.reset();
  }
}

void Master::on_ready(Generation& generation) {
  if (&generation == current_.get()) {
    serving_ = true;
    say_that_it_serves();
    if (is_asked_) ask_for_reload(loop_->now());
    return;
  }
  // What no worker could load was not known before.
  for (const Deployed& function : generation.functions()) {
    if (!function.is_new || !(function.refused || function.rejected)) continue;
    std::erase(changes_.added, function.name);
    std::erase(changes_.changed, function.name);
    changes_.refused.push_back(function.name);
  }
  current_->retire(kIdleStays);
  retiring_.push_back(std::exchange(current_, std::move(next_)));
  settings_ = std::move(settings_next_);
  spdlog::info("reloaded in {} ms: {}",
               std::chrono::duration_cast<Milliseconds>(loop_->now() - reload_began_).count(),
               to_string(changes_));
  end_reload();
}

void Master::on_failed(Generation& generation, const Error& reason) {
  if (&generation == current_.get()) {
    start_failed_ = reason;
    return loop_->stop();
  }
  spdlog::error("not reloading: {}; what was there before is served on", reason.message);
  // Not now: it is the one that calls.
  loop_->post([this] {
    if (next_) forget(next_);
    end_reload();
  });
}

void Master::say_that_it_serves() const {
  const ServeOptions& options = current_->options();
  if (current_->functions_served() == 0 && options.static_replies.empty())
    spdlog::warn("there is no function to serve");
  for (std::size_t i = 0; i < options.tcp.size(); ++i) {
    SocketAddress at;
    at.bytes = sizeof at.storage;
    ::getsockname(doors_.tcp[i].get(), reinterpret_cast<sockaddr*>(&at.storage), &at.bytes);
    spdlog::info("serving {} on tcp://{}", printable(options.tcp[i].function), to_string(at));
  }
  spdlog::info("serving {} function(s) on http://{}", current_->functions_served(), doors_.address);
}

void Master::on_signal(int signal) {
  if (signal == SIGCHLD) return bury_the_dead();
  if (signal == SIGHUP) return on_hangup();
  if (draining_) {
    stop_at_once("a second signal came");
  } else {
    drain(signal);
  }
}

void Master::bury_the_dead() {
  if (store_ != nullptr && store_->bury()) {
    for (Generation* const generation : generations()) generation->forget_store();
  }
  if (upload_ != nullptr) upload_->bury();
  for (Generation* const generation : generations()) generation->bury();
  const std::size_t retiring = retiring_.size();
  for (auto& generation : retiring_) {
    if (generation->is_gone()) forget(generation);
  }
  std::erase(retiring_, nullptr);
  if (draining_) return end_when_all_are_gone();
  if (compilation_.bury()) reload_compiled();
  if (retiring_.size() < retiring && is_asked_) ask_for_reload(loop_->now());
}

void Master::forget(std::unique_ptr<Generation>& generation) {
  http_of_the_gone_ += generation->counters(&WorkerPage::http);
  tcp_of_the_gone_ += generation->counters(&WorkerPage::tcp);
  http_of_the_gone_.active = tcp_of_the_gone_.active = 0;
  generation.reset();
}

void Master::on_hangup() {
  if (draining_) return;
  if (current_->options().profiles) {
    spdlog::warn("signal {}: not reading files again: --profile counts what was there at start",
                 SIGHUP);
    return;
  }
  is_ordered_ = true;
  ask_for_reload(loop_->now());
}

void Master::on_change() {
  if (draining_) return;
  if (!first_change_) first_change_ = loop_->now();
  ask_for_reload(std::min(loop_->now() + kSettles, *first_change_ + kSettlesWithin));
}

void Master::ask_for_reload(TimePoint at) {
  is_asked_ = true;
  reload_.set(std::max(at, reload_began_ + kBetweenReloads));
}

void Master::reload() {
  // Who stands in the way asks again when it is gone.
  if (!is_asked_ || draining_ || !serving_ || is_reloading_ || retiring_.size() >= kRetiringMax) {
    return;
  }
  is_asked_ = false;
  is_reloading_ = true;
  first_change_.reset();
  reload_began_ = loop_->now();
  if (reloading_.has_to_compile()) {
    const Result<void> begun = compilation_.begin(reloading_);
    if (begun) return;
    spdlog::error("{}", begun.error().message);
  }
  reload_compiled();
}

void Master::reload_compiled() {
  changes_ = {};
  const Result<void> begun = begin_next();
  if (!begun) {
    spdlog::error("not reloading: {}; what was there before is served on", begun.error().message);
    next_.reset();
  }
  if (!next_) end_reload();
}

// Without `next_` afterwards there is nothing new to serve.
Result<void> Master::begin_next() {
  const bool is_ordered = std::exchange(is_ordered_, false);
  ServeOptions options = NUR_TRY(reloading_.prepare_again());
  const ServeOptions& last = current_->options();
  options.server.descriptors_max = last.server.descriptors_max;
  if (options.server.address != last.server.address) {
    spdlog::warn("the address to listen on is {} until nurhost is started again", doors_.address);
    options.server.address = last.server.address;
  }
  NUR_TRY(open_for_workers(options, &last));
  if (folders_) folders_->set(options.sources.folders);
  settings_next_ = identities_of(options.sources.settings);
  next_ = NUR_TRY(Generation::create(*loop_, *this, doors_, account_, std::move(options),
                                     /*is_first=*/false));
  NUR_TRY(find_functions(*next_, current_.get(), changes_));
  if (!is_ordered && changes_.is_none() && are_same(settings_, settings_next_)) {
    next_.reset();
    return {};
  }
  NUR_TRY(check_tcp_bindings(*next_));
  if (!store_) NUR_TRY(begin_store(*next_));
  NUR_TRY(next_->start());
  next_->serve();
  return {};
}

void Master::end_reload() {
  is_reloading_ = false;
  if (is_asked_) ask_for_reload(loop_->now());
}

void Master::drain(int signal) {
  draining_ = true;
  spdlog::info("signal {}: finishing what is in flight", signal);
  compilation_.end();
  for (Generation* const generation : generations()) generation->drain(Milliseconds(0));
  if (upload_ != nullptr) upload_->drain();
  overdue_.set(loop_->now() + current_->options().drain_timeout);
  door_closes_.set(loop_->now() + kDoorCloses);
  end_when_all_are_gone();
}

void Master::stop_at_once(std::string_view reason) {
  if (stopping_) return;
  stopping_ = true;
  if (store_ != nullptr) store_->end();
  if (upload_ != nullptr) upload_->stop();
  spdlog::warn("stopping at once: {}", reason);
  for (Generation* const generation : generations()) generation->stop();
}

void Master::end_when_all_are_gone() {
  for (const Generation* const generation : generations()) {
    if (!generation->is_gone()) return;
  }
  if (upload_ != nullptr && upload_->pid() != 0) return;
  loop_->stop();
}

std::vector<Generation*> Master::generations() const {
  std::vector<Generation*> all;
  for (const auto& generation : retiring_) all.push_back(generation.get());
  if (current_) all.push_back(current_.get());
  if (next_) all.push_back(next_.get());
  return all;
}

ServerCounters Master::counters(ServerCounters WorkerPage::*of) const {
  ServerCounters sum = of == &WorkerPage::http ? http_of_the_gone_ : tcp_of_the_gone_;
  for (const Generation* const generation : generations()) sum += generation->counters(of);
  return sum;
}

Result<void> Master::prepare_profiles() const {
  std::vector<ProfileSource> sources;
  for (const Deployed& function : current_->functions()) {
    sources.push_back({function.name, function.artefact->manifest.profile_generate});
  }
  return nur::prepare_profiles(sources, *current_->options().profiles);
}

Result<void> Master::write_profiles() const {
  Result<void> result;
  for (const Deployed& function : current_->functions()) {
    if (!function.profile.is_open()) continue;
    const auto write = [&]() -> Result<void> {
      const std::string profile =
          NUR_TRY(in_context(read_profile(function.profile), "function " + function.name));
      return publish_file(*current_->options().profiles / (function.name + ".profile"), profile);
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

Result<void> serve(const ServeOptions& asked, Reloading& reloading) {
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
  NUR_TRY(open_for_workers(options, nullptr));
  const std::unique_ptr<Master> master = NUR_TRY(Master::open(std::move(options), reloading));
  return master->run();
}

}  // namespace nur
