#include "host/process/worker.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <optional>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/read_write.h"
#include "host/net/event_loop.h"
#include "host/net/tcp_server.h"
#include "host/process/system_calls.h"
#include "host/sandbox/low_addresses.h"
#include "host/sandbox/machine_limits.h"
#include "host/sandbox/page_scanner.h"
#include "host/sandbox/slot_budget.h"
#include "host/serve/dispatcher.h"
#include "host/serve/handle_router.h"
#include "host/serve/nebula/routes.h"
#include "host/serve/static_reply.h"

namespace nur {
namespace {

// The kernel sends it when the master is gone.
constexpr int kMasterDied = SIGUSR2;

// What the handler of kMasterDied needs.
std::array<int, kTcpBindingsMax + 1> listening_descriptors;
std::size_t listening_count = 0;
const WorkerPage* watched_page = nullptr;

void shut_doors() {
  for (std::size_t i = 0; i < listening_count; ++i) {
    ::shutdown(listening_descriptors[i], SHUT_RDWR);
  }
}

// A guest that runs now would keep the event loop from seeing that the master is gone, and the next
// master from getting the address. Without a guest the loop does it, and takes those who wait
// first.
void on_master_died(int) {
  if (watched_page->function == 0) return;
  const int saved_errno = errno;
  shut_doors();
  errno = saved_errno;
}

// Everything that was the master's but what is named.
void close_all_but(std::vector<int> sorted) {
  std::ranges::sort(sorted);
  unsigned first = STDERR_FILENO + 1;
  for (const int descriptor : sorted) {
    const auto number = static_cast<unsigned>(descriptor);
    if (number > first) ::close_range(first, number - 1, 0);
    first = std::max(first, number + 1);
  }
  ::close_range(first, ~0U, 0);
}

// Of all functions.
std::vector<Preopen> preopens_of(const ServeOptions& options) {
  std::vector<Preopen> all = options.defaults.preopens;
  for (const auto& [name, settings] : options.functions) {
    all.insert(all.end(), settings.preopens.begin(), settings.preopens.end());
  }
  return all;
}

// What a worker does at a signal is its own, not the master's. Who wants it to end tells the
// master: a terminal's Ctrl-C reaches all processes, and is the master's to act on.
void take_over_signals() {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::signal(signal, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
  struct sigaction action {};
  action.sa_handler = on_master_died;
  action.sa_flags = SA_ONSTACK | SA_RESTART;
  ::sigaction(kMasterDied, &action, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

// Connections of a function that --tcp names have an instance each, for as long as they last; two
// thirds of all addresses.
constexpr std::size_t kTcpInstancesMax = 10'000;

// Idle instances are looked at so often.
constexpr Milliseconds kShrinkPeriod{1000};

class Worker final : public EventHandler {
 public:
  // `scanner` may be nullptr; all outlive the worker.
  Worker(WorkerSetup& setup, SlotBudget& budget, const PageScanner* scanner, EventLoop& loop,
         const Clock& clock, const TrapGuard& guard)
      : setup_(setup),
        budget_(budget),
        scanner_(scanner),
        loop_(loop),
        clock_(clock),
        dispatcher_(TaskContext{.loop = loop,
                                .clock = clock,
                                .guard = guard,
                                .page = setup.page,
                                .quantum = setup.options.quantum,
                                .outside = &outside_},
                    registry_, setup.quarantine),
        overdue_(loop.timers(), [this] { stop(); }),
        shrink_(loop.timers(), [this] { shrink(); }) {}

  // Loads functions until the master says that this was all. False when it says to end instead.
  Result<bool> load_all();
  // Until all is done.
  Result<void> serve();

  void on_events(std::uint32_t events) override;

 private:
  void load(DeployMessage message, std::vector<Fd> descriptors);
  // Whether another worker has far fewer connections. A few more or an eighth are no reason.
  [[nodiscard]] bool is_busier(std::size_t connections, ServerCounters WorkerPage::*of) const;
  Result<void> listen_without_http();
  void drained_one();
  void connect_store(Fd socket);
  void on_message(const Message& message, std::vector<Fd> descriptors);
  void on_master_gone();
  void drain(Milliseconds idle);
  void stop();
  // Has pools give up what they did not need since the last time.
  void shrink();
  Result<void> leave_profiles() const;

  WorkerSetup& setup_;
  SlotBudget& budget_;
  const PageScanner* const scanner_;
  EventLoop& loop_;
  const Clock& clock_;
  Registry registry_;
  Outside outside_;
  bool connects_ = false;              // some function may connect to somewhere
  std::vector<std::string> fetching_;  // functions that do so for HTTP
  Dispatcher dispatcher_;
  std::optional<NebulaRoutes> nebula_;    // in front of the functions
  std::optional<StaticReplies> replies_;  // in front of both
  std::optional<HandleRouter> router_;    // in front of all
  std::unique_ptr<HttpServer> server_;
  // Connections of a listener of --tcp are one function's.
  struct TcpDoor final : RequestHandler {
    TcpDoor(Dispatcher& to, Function& its) : dispatcher(to), function(its) {}
    void handle(Exchange& exchange) override { dispatcher.handle_raw(exchange, function); }

    Dispatcher& dispatcher;
    Function& function;
    std::unique_ptr<TcpServer> server;
  };
  std::vector<std::unique_ptr<TcpDoor>> tcp_doors_;
  std::size_t to_drain_ = 0;            // servers
  std::map<std::string, Fd> profiles_;  // by function
  Timer overdue_;
  Timer shrink_;
};

Result<bool> Worker::load_all() {
  while (true) {
    Channel::Received received = NUR_TRY(setup_.channel.receive_waiting());
    if (auto* const deploy = std::get_if<DeployMessage>(&received.message)) {
      load(std::move(*deploy), std::move(received.descriptors));
    } else if (std::holds_alternative<StoreMessage>(received.message)) {
      connect_store(std::move(received.descriptors.front()));
    } else {
      return std::holds_alternative<ServeMessage>(received.message);
    }
  }
}

void Worker::load(DeployMessage message, std::vector<Fd> descriptors) {
  if (registry_.find(message.name) != nullptr) return;
  // A module that brings the loader down is known by this, like one that does so later.
  const OnAccountOf account(setup_.page, message.number);
  const auto loaded = [&]() -> Result<std::unique_ptr<Function>> {
    VerifiedArtefact artefact = NUR_TRY(
        VerifiedArtefact::adopt(message.file_name, std::move(descriptors.front()), message.facts));
    FunctionSettings settings = setup_.options.settings_of(message.name);
    settings.limits.sandbox.scanner = scanner_;
    settings.limits.sandbox.budget = &budget_;
    const bool has_door = std::ranges::find(setup_.options.tcp, message.name,
                                            &TcpBinding::function) != setup_.options.tcp.end();
    if (has_door) {
      // Unless somebody has said how many.
      std::size_t& most = settings.limits.pool.leased_max;
      if (most == PoolLimits{}.leased_max) most = kTcpInstancesMax;
    }
    return Function::load(message.name, std::move(artefact), std::move(settings),
                          setup_.options.host_modules, message.number);
  };
  Result<std::unique_ptr<Function>> function = loaded();
  if (!function) {
    setup_.channel.send_waiting(RefusedMessage{message.number, function.error().message});
    return;
  }
  if (!(*function)->outbound().is_empty()) {
    connects_ = true;
    if ((*function)->module().manifest().imports_function("env", "http_open")) {
      fetching_.push_back((*function)->name());
    }
  }
  registry_.add(*std::move(function));
  if (message.wants_profile) profiles_.emplace(message.name, std::move(descriptors.back()));
}

void Worker::connect_store(Fd socket) {
  if (!outside_.kv) outside_.kv = std::make_unique<KvClient>(loop_);
  const Result<void> connected = outside_.kv->connect(std::move(socket));
  if (!connected) spdlog::error("worker {}: {}", ::getpid(), connected.error().message);
}

Result<void> Worker::serve() {
  RequestHandler* front = &dispatcher_;
  if (setup_.options.nebula.routes) {
    front = &nebula_.emplace(setup_.options.nebula, setup_.options.nebula_history.get(),
                             dispatcher_, registry_, loop_, clock_);
  }
  const std::vector<StaticReply>& texts = setup_.options.static_replies;
  if (!texts.empty()) {
    replies_.emplace(NUR_TRY(in_context(StaticReplies::create(texts, *front), "--static-reply")));
  }
  if (replies_) front = &*replies_;
  if (!setup_.options.handle_routes.empty()) {
    const bool only = setup_.options.only_handle_routes && !replies_;
    router_.emplace(setup_.options.handle_routes, registry_, dispatcher_, only ? nullptr : front);
    front = &*router_;
  }
  ServerOptions server = setup_.options.server;
  // Half of what a worker may hold for clients is for those without HTTP, if there are listeners
  // for them.
  if (!setup_.options.tcp.empty()) server.unsent_bytes_max /= 2;
  if (!setup_.others.empty()) {
    server.listen.accepts_per_turn = 1;
    server.prefers_others = [this](std::size_t connections) {
      return is_busier(connections, &WorkerPage::http);
    };
  }
  server_ = NUR_TRY(
      HttpServer::adopt(loop_, std::move(setup_.listening), server, *front, &setup_.page.http));
  NUR_TRY(listen_without_http());
  NUR_TRY(loop_.watch(setup_.channel.descriptor(), EPOLLIN, *this));

  // What reads files once and then remembers does so now: the C library's time zone, and the
  // configuration of the library that makes a profile's digest.
  ::tzset();
  for (const auto& [name, file] : profiles_) NUR_TRY(registry_.find(name)->module().profile());
  if (connects_) {
    // Half of those that the front leaves for everything else.
    outside_.sockets.max = std::max<std::size_t>(setup_.options.server.descriptors_max / 20, 16);
    outside_.resolver = NUR_TRY(
        in_context(Resolver::open(loop_, setup_.options.resolver), "finding names for functions"));
    if (!fetching_.empty()) {
      outside_.http = NUR_TRY(HttpClient::open(loop_, *outside_.resolver, setup_.options.http));
      for (const std::string& name : fetching_) NUR_TRY(outside_.http->pool(name));
    }
  }
  become_opaque();
  const Connecting connecting = connects_ ? Connecting::allowed : Connecting::refused;
  const std::vector<Preopen> directories = preopens_of(setup_.options);
  FileAccess access = FileAccess::none;
  for (const Preopen& directory : directories) {
    access = std::max(access, directory.writable ? FileAccess::writing : FileAccess::reading);
  }
  if (access != FileAccess::none) {
    if (const Result<void> confined = confine_to_directories(directories); !confined) {
      spdlog::warn(
          "worker {}: is not kept from opening other files than those of its functions: {}",
          ::getpid(), confined.error().message);
    }
  }
  if (const Result<void> closed = allow_only_these_calls(setup_.page.fault, access, connecting);
      !closed) {
    spdlog::warn("worker {}: may make any system call: {}", ::getpid(), closed.error().message);
  }
  // From here on this process can be told to do no more than serve.
  setup_.page.http.active = setup_.page.tcp.active = 0;
  setup_.channel.send_waiting(ReadyMessage{});
  shrink_.set(loop_.now() + kShrinkPeriod);
  NUR_TRY(loop_.run());
  return leave_profiles();
}

Result<void> Worker::listen_without_http() {
  const ServeOptions& options = setup_.options;
  for (std::size_t i = 0; i < options.tcp.size(); ++i) {
    Function* const function = registry_.find(options.tcp[i].function);
    // One that no worker could load; the master has said so. Nobody answers there.
    if (function == nullptr) continue;
    TcpOptions tcp{.prefers_others = nullptr,
                   .accepts_per_turn = options.server.listen.accepts_per_turn,
                   .connections_max = std::min(options.server.connections_max,
                                               connections_allowed(options.server.descriptors_max)),
                   .connections_per_client = options.server.connections_per_client,
                   .unsent_bytes_max = options.server.unsent_bytes_max / 2 / options.tcp.size(),
                   .idle = options.tcp_idle};
    if (!setup_.others.empty()) {
      tcp.accepts_per_turn = 1;
      tcp.prefers_others = [this](std::size_t connections) {
        return is_busier(connections, &WorkerPage::tcp);
      };
    }
    auto door = std::make_unique<TcpDoor>(dispatcher_, *function);
    door->server = NUR_TRY(TcpServer::adopt(loop_, std::move(setup_.tcp_listening[i]),
                                            std::move(tcp), *door, setup_.page.tcp));
    tcp_doors_.push_back(std::move(door));
  }
  return {};
}

bool Worker::is_busier(std::size_t connections, ServerCounters WorkerPage::*of) const {
  std::uint64_t fewest = kNotServing;
  for (const WorkerPage* const page : setup_.others) fewest = std::min(fewest, (page->*of).active);
  return fewest != kNotServing && connections > fewest + std::max<std::uint64_t>(2, fewest / 8);
}

void Worker::on_events(std::uint32_t) {
  while (true) {
    Result<std::optional<Channel::Received>> received = setup_.channel.receive();
    if (!received) return on_master_gone();
    if (!*received) return;
    on_message((*received)->message, std::move((*received)->descriptors));
  }
}

void Worker::on_message(const Message& message, std::vector<Fd> descriptors) {
  if (std::holds_alternative<StoreMessage>(message)) connect_store(std::move(descriptors.front()));
  if (const auto* const order = std::get_if<DrainMessage>(&message)) {
    drain(Milliseconds(order->idle_milliseconds));
  }
  if (std::holds_alternative<StopMessage>(message)) stop();
}

void Worker::on_master_gone() {
  loop_.unwatch(setup_.channel.descriptor(), *this);
  spdlog::warn("worker {}: the master has gone: finishing what is in flight", ::getpid());
  overdue_.set(loop_.now() + setup_.options.drain_timeout);
  drain(Milliseconds(0));
  // For workers that are busy now, too: the next master can have the address.
  shut_doors();
}

void Worker::drain(Milliseconds idle) {
  if (to_drain_ > 0) return server_->drain_idle_within(idle);
  to_drain_ = 1 + tcp_doors_.size();
  server_->drain([this] { drained_one(); }, idle);
  for (const auto& door : tcp_doors_) door->server->drain([this] { drained_one(); });
}

void Worker::drained_one() {
  if (--to_drain_ == 0) loop_.stop();
}

void Worker::shrink() {
  budget_.shrink();
  shrink_.set(loop_.now() + kShrinkPeriod);
}

void Worker::stop() {
  server_->stop();
  for (const auto& door : tcp_doors_) door->server->stop();
  loop_.stop();
}

Result<void> Worker::leave_profiles() const {
  for (const auto& [name, file] : profiles_) {
    const std::string profile = NUR_TRY(registry_.find(name)->module().profile());
    for (std::size_t at = 0; at < profile.size();) {
      const ssize_t wrote = write_some(file.get(), std::string_view(profile).substr(at),
                                       static_cast<std::int64_t>(at));
      if (wrote <= 0)
        return fail(ErrorKind::exhausted, "{}", system_error_text("keeping a profile"));
      at += static_cast<std::size_t>(wrote);
    }
  }
  return {};
}

[[noreturn]] void end_worker(const Result<void>& worked) {
  if (!worked) fmt::print(stderr, "nurhost: worker {}: {}\n", ::getpid(), worked.error().message);
  // Not exit(3): what the master had registered to be done at its end is not ours to do.
  ::_exit(worked ? 0 : kWorkerFailed);
}

Result<void> work(WorkerSetup& setup) {
  NUR_TRY(drop_privileges(setup.account));
  // Becoming another user would have taken it back.
  ::prctl(PR_SET_PDEATHSIG, kMasterDied);
  // It may have died before that: then nobody will ever send anything.
  if (::getppid() != setup.master) return {};

  const SystemClock clock;
  const std::unique_ptr<EventLoop> loop = NUR_TRY(EventLoop::open(clock));
  const LowAddresses low_addresses = NUR_TRY(LowAddresses::reserve());
  const TrapGuard guard = NUR_TRY(TrapGuard::install());
  TrapGuard::keep_faults_in(&setup.page.fault);
  // What instances of all functions share: opened before the files of /proc are out of reach.
  const Result<PageScanner> scanner = PageScanner::open();
  SlotAmounts room = slot_limits(read_machine_limits(), setup.options.workers);
  room.mappings = std::min(room.mappings, setup.options.mappings_max.value_or(room.mappings));
  SlotBudget budget(room);
  Worker worker(setup, budget, scanner ? &*scanner : nullptr, *loop, clock, guard);
  const Result<bool> shall_serve = worker.load_all();
  // A master that dies or ends meanwhile wants nothing any more.
  if (!shall_serve || !*shall_serve) return {};
  // Not taken down one by one: all that a worker has is taken back at once by the kernel, and the
  // filter leaves no calls for it.
  end_worker(worker.serve());
}

}  // namespace

void run_worker(WorkerSetup setup) {
  std::vector<int> kept = {setup.channel.descriptor(), setup.listening.get()};
  for (const Fd& listening : setup.tcp_listening) kept.push_back(listening.get());
  std::ranges::copy(kept.begin() + 1, kept.end(), listening_descriptors.begin());
  listening_count = kept.size() - 1;
  for (const Preopen& preopen : preopens_of(setup.options)) {
    kept.push_back(preopen.directory->get());
  }
  if (setup.options.nebula_history) kept.push_back(setup.options.nebula_history->descriptor());
  close_all_but(std::move(kept));
  watched_page = &setup.page;
  take_over_signals();
  ::prctl(PR_SET_NAME, "nurhost-worker");

  end_worker(work(setup));
}

}  // namespace nur
