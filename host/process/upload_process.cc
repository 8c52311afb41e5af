#include "host/process/upload_process.h"

#include <algorithm>
#include <csignal>
#include <ctime>
#include <memory>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "host/net/event_loop.h"
#include "host/net/http_server.h"
#include "host/process/system_calls.h"
#include "host/upload/upload_handler.h"

namespace nur {
namespace {

// Drains when the master says so, and ends with it.
class UploadChannel final : public EventHandler {
 public:
  UploadChannel(EventLoop& loop, HttpServer& server, Channel& channel)
      : loop_(loop), server_(server), channel_(channel) {}

  void on_events(std::uint32_t) override {
    while (true) {
      const Result<std::optional<Channel::Received>> received = channel_.receive();
      if (!received) return loop_.stop();
      if (!*received) return;
      if (std::holds_alternative<DrainMessage>((*received)->message)) {
        server_.drain([this] { loop_.stop(); });
      }
    }
  }

 private:
  EventLoop& loop_;
  HttpServer& server_;
  Channel& channel_;
};

// Started by root it becomes whoever owns the folder, so that nobody else has to be let into it.
Result<std::optional<Account>> account_of(const UploadFolder& folder) {
  if (::geteuid() != 0) return std::optional<Account>();
  struct stat status {};
  if (::fstat(folder.descriptor(), &status) != 0) {
    return fail(ErrorKind::internal, "{}", system_error_text("looking at the folder"));
  }
  return std::optional(
      Account{fmt::format("{}, who owns the folder", status.st_uid), status.st_uid, status.st_gid});
}

Result<void> confine(const UploadFolder& folder, const Path& path) {
  const Preopen beneath{.directory = std::make_shared<const Fd>(::dup(folder.descriptor())),
                        .guest_path = {},
                        .writable = true};
  const Result<void> confined = confine_to_directories(std::span(&beneath, 1));
  if (confined) return {};
  if (::geteuid() == 0) {
    return fail(ErrorKind::invalid_input,
                "{} is root's, and without Landlock ({}) whoever takes over the process of uploads "
                "could change any file of root's; give the folder to another user (chown)",
                path.string(), confined.error().message);
  }
  spdlog::warn("upload: not confined to {}: {}", path.string(), confined.error().message);
  return {};
}

Result<void> serve(UploadSetup& setup) {
  const Path& path = *setup.options.folder;
  const UploadToken token =
      NUR_TRY(in_context(UploadToken::read(setup.options.token_file), "--upload-token-file"));
  const UploadFolder folder = NUR_TRY(in_context(UploadFolder::open(path), "--upload-dir"));
  const std::optional<Account> account = NUR_TRY(account_of(folder));
  NUR_TRY(drop_privileges(account));
  // Becoming another user would have taken it back. No file is ever half there.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != setup.master) return {};
  // What is served has to be read by the master, whoever that is.
  ::umask(022);
  NUR_TRY(in_context(folder.check_writable(), "--upload-dir"));
  folder.remove_leftovers();

  const SystemClock clock;
  const std::unique_ptr<EventLoop> loop = NUR_TRY(EventLoop::open(clock));
  UploadHandler handler(*loop, token, folder);
  ServerOptions options;
  options.limits.body_bytes_max = setup.options.bytes_max;
  options.connections_max = kUploadConnectionsMax;
  options.connections_per_client = kUploadConnectionsPerClient;
  const std::unique_ptr<HttpServer> server =
      NUR_TRY(HttpServer::adopt(*loop, std::move(setup.listening), options, handler));
  UploadChannel master(*loop, *server, setup.channel);
  NUR_TRY(loop->watch(setup.channel.descriptor(), EPOLLIN, master));
  // What reads a file once does so now.
  ::tzset();
  become_opaque();
  NUR_TRY(in_context(confine(folder, path), "--upload-dir"));
  if (const Result<void> closed = allow_only_calls_of_uploads(setup.fault); !closed) {
    spdlog::warn("upload: may make any system call: {}", closed.error().message);
  }
  setup.channel.send_waiting(ReadyMessage{});
  return loop->run();
}

void close_all_but(int a, int b) {
  const auto first = static_cast<unsigned>(std::min(a, b));
  const auto second = static_cast<unsigned>(std::max(a, b));
  if (first > STDERR_FILENO + 1) ::close_range(STDERR_FILENO + 1, first - 1, 0);
  if (second > first + 1) ::close_range(first + 1, second - 1, 0);
  ::close_range(second + 1, ~0U, 0);
}

}  // namespace

void run_upload(UploadSetup setup) {
  close_all_but(setup.channel.descriptor(), setup.listening.get());
  // The master tells it when to end: a terminal's Ctrl-C reaches all processes.
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::signal(signal, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_NAME, "nurhost-upload");

  const Result<void> served = serve(setup);
  if (!served) setup.channel.send_waiting(RefusedMessage{0, served.error().message});
  ::_exit(served ? 0 : 1);
}

}  // namespace nur
