#include "host/process/store_process.h"

#include <cerrno>
#include <csignal>
#include <ctime>
#include <memory>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "host/kv/kv_server.h"
#include "host/net/event_loop.h"
#include "host/process/system_calls.h"

namespace nur {
namespace {

constexpr const char* kFileName = "kv.sqlite";

// Takes connections, and ends with the master.
class StoreChannel final : public EventHandler {
 public:
  StoreChannel(EventLoop& loop, KvServer& server, Channel& channel)
      : loop_(loop), server_(server), channel_(channel) {}

  void on_events(std::uint32_t) override {
    while (true) {
      Result<std::optional<Channel::Received>> received = channel_.receive();
      if (!received) return loop_.stop();
      if (!*received) return;
      if (!std::holds_alternative<StoreMessage>((*received)->message)) continue;
      const Result<void> added = server_.add(std::move((*received)->descriptors.front()));
      if (!added) spdlog::error("key-value store: {}", added.error().message);
    }
  }

 private:
  EventLoop& loop_;
  KvServer& server_;
  Channel& channel_;
};

Result<void> serve(StoreSetup& setup) {
  // While it can be reached: its parents may be closed to whom this process becomes.
  if (setup.folder && ::chdir(setup.folder->c_str()) != 0) {
    return fail(kind_of_errno(errno), "{}", system_error_text(setup.folder->string()));
  }
  NUR_TRY(drop_privileges(setup.account));
  // Becoming another user would have taken it back. What was answered is in the file's log by then.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != setup.master) return {};
  ::umask(077);

  std::optional<Path> file;
  if (setup.folder) file = kFileName;
  std::unique_ptr<KvDatabase> database =
      NUR_TRY(in_context(KvDatabase::open(file, setup.limits),
                         setup.folder ? setup.folder->string() : "key-value store"));
  const SystemClock clock;
  const std::unique_ptr<EventLoop> loop = NUR_TRY(EventLoop::open(clock));
  KvServer server(*loop, *database, clock);
  StoreChannel connections(*loop, server, setup.channel);
  NUR_TRY(loop->watch(setup.channel.descriptor(), EPOLLIN, connections));
  // What reads a file once does so now.
  ::tzset();
  become_opaque();
  if (const Result<void> closed = allow_only_calls_of_the_store(setup.fault); !closed) {
    spdlog::warn("key-value store: may make any system call: {}", closed.error().message);
  }
  setup.channel.send_waiting(ReadyMessage{});
  NUR_TRY(loop->run());
  database->checkpoint();
  // Not closed: SQLite would remove its log, which is empty now, by name.
  (void)database.release();
  return {};
}

}  // namespace

Result<void> prepare_store_folder(const Path& folder, const std::optional<Account>& account) {
  if (::mkdir(folder.c_str(), 0700) != 0) {
    if (errno == EEXIST) return {};
    return fail(kind_of_errno(errno), "--data {}",
                system_error_text("making the folder " + folder.string()));
  }
  if (account && ::chown(folder.c_str(), account->user, account->group) != 0) {
    return fail(ErrorKind::internal, "--data {}",
                system_error_text("giving the folder to " + account->name));
  }
  return {};
}

void run_store(StoreSetup setup) {
  const auto kept = static_cast<unsigned>(setup.channel.descriptor());
  if (kept > STDERR_FILENO + 1) ::close_range(STDERR_FILENO + 1, kept - 1, 0);
  ::close_range(kept + 1, ~0U, 0);
  // The master tells it when to end: a terminal's Ctrl-C reaches all processes.
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::signal(signal, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_NAME, "nurhost-store");

  const Result<void> served = serve(setup);
  if (!served) setup.channel.send_waiting(RefusedMessage{0, served.error().message});
  ::_exit(served ? 0 : 1);
}

}  // namespace nur
