// nurhost: see options.cc for what it takes. Turns errors into exit codes; all work is elsewhere.
#include <csignal>
#include <cstdio>
#include <sys/resource.h>

#include "base/log.h"
#include "base/version.h"
#include "host/net/event_loop.h"
#include "host/net/signal_watch.h"
#include "host/options.h"
#include "host/sandbox/low_addresses.h"
#include "host/serve/dispatcher.h"
#include "host/serve/profile.h"

namespace nur {
namespace {

int complain(const Error& error) {
  fmt::print(stderr, "nurhost: {}\n", error.message);
  return 1;
}

// The first signal ends the accepting, the second one everything.
class Shutdown {
 public:
  Shutdown(EventLoop& loop, HttpServer& server, Milliseconds drain_timeout)
      : loop_(loop),
        server_(server),
        drain_timeout_(drain_timeout),
        overdue_(loop.timers(), [this] { give_up("requests are still in flight"); }) {}

  void on_signal(int signal) {
    if (draining_) {
      give_up("a second signal came");
      return;
    }
    draining_ = true;
    spdlog::info("signal {}: finishing what is in flight", signal);
    overdue_.set(loop_.now() + drain_timeout_);
    server_.drain([this] { loop_.stop(); });
  }

 private:
  void give_up(std::string_view reason) {
    spdlog::warn("stopping at once: {}", reason);
    server_.stop();
    loop_.stop();
  }

  EventLoop& loop_;
  HttpServer& server_;
  const Milliseconds drain_timeout_;
  Timer overdue_;
  bool draining_ = false;
};

// Every connection is a descriptor, and sessions begin with 1,024 unless asked for more.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<void> serve(const ServeCommand& command) {
  const SystemClock clock;
  const std::unique_ptr<EventLoop> loop = NUR_TRY(EventLoop::open(clock));
  const LowAddresses low_addresses = NUR_TRY(LowAddresses::reserve());
  const TrapGuard guard = NUR_TRY(TrapGuard::install());
  const Registry registry = NUR_TRY(
      Registry::load(command.paths, command.limits, [](const Path& file, const Error& reason) {
        spdlog::error("not serving {}: {}", file.string(), reason.message);
      }));

  if (command.profiles) NUR_TRY(prepare_profiles(registry, *command.profiles));

  Dispatcher dispatcher(TaskContext{*loop, clock, guard}, registry);
  StaticReplies replies = NUR_TRY(
      in_context(StaticReplies::create(command.static_replies, dispatcher), "--static-reply"));
  RequestHandler& front =
      command.static_replies.empty() ? static_cast<RequestHandler&>(dispatcher) : replies;
  const std::unique_ptr<HttpServer> server =
      NUR_TRY(HttpServer::open(*loop, command.server, front));
  Shutdown shutdown(*loop, *server, command.drain_timeout);
  const std::unique_ptr<SignalWatch> signals = NUR_TRY(
      SignalWatch::open(*loop, {SIGTERM, SIGINT}, [&](int signal) { shutdown.on_signal(signal); }));

  if (registry.size() == 0 && command.static_replies.empty()) {
    spdlog::warn("there is no function to serve");
  }
  spdlog::info("serving {} function(s) on http://{}", registry.size(),
               to_string(server->address()));
  NUR_TRY(loop->run());
  const ServerCounters counters = server->counters();
  spdlog::info("stopped after {} request(s)", counters.requests);
  if (command.profiles) NUR_TRY(write_profiles(registry, *command.profiles));
  return {};
}

int run(const ServeCommand& command) {
  start_logging(command.log_level);
  ::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  const Result<void> served = serve(command);
  return served ? 0 : complain(served.error());
}

int run(const RunCommand& command) {
  start_logging(LogLevel::warning);
  const Result<int> status = run_once(command.options);
  return status ? *status : complain(status.error());
}

int run(const PrintAndExit& command) { return print(command); }

}  // namespace
}  // namespace nur

int main(int argc, char** argv) {
  const nur::NurhostCommand command = nur::parse_nurhost_options(argc, argv);
  return std::visit([](const auto& chosen) { return nur::run(chosen); }, command);
}
