#include "host/process/store_supervisor.h"

#include <csignal>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "base/log.h"

namespace nur {
namespace {

// Behind a connection that could not be made for want of descriptors.
constexpr Milliseconds kTryAgain(1000);

}  // namespace

StoreSupervisor::StoreSupervisor(EventLoop& loop, Options options,
                                 std::function<void()> connect_all)
    : loop_(loop),
      options_(std::move(options)),
      connect_all_(std::move(connect_all)),
      restart_(loop.timers(), [this] { restart(); }),
      try_again_(loop.timers(), [this] { connect_all_(); }) {}

StoreSupervisor::~StoreSupervisor() {
  close();
  if (pid_ != 0) ::waitpid(pid_, nullptr, 0);
}

void StoreSupervisor::close() {
  if (std::exchange(is_watched_, false)) loop_.unwatch(channel_.descriptor(), *this);
  channel_.close();
}

Result<void> StoreSupervisor::begin() {
  NUR_TRY(start());
  // Its database can be opened, or there is no start.
  const Result<Channel::Received> first = channel_.receive_waiting();
  if (!first) return fail(ErrorKind::internal, "the key-value store could not start");
  if (const auto* const refused = std::get_if<RefusedMessage>(&first->message)) {
    return fail(
        ErrorKind::invalid_input, "--data: {}{}", printable(refused->reason),
        options_.account ? fmt::format(" (as user {}: --user)", options_.account->name) : "");
  }
  return listen();
}

Result<void> StoreSupervisor::start() {
  auto [ours, theirs] = NUR_TRY(Channel::make_pair());
  options_.fault = FaultRecord{};
  const pid_t self = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(ErrorKind::exhausted, "{}", system_error_text("starting the store"));
  if (pid == 0) {
    run_store({.folder = options_.folder,
               .limits = options_.limits,
               .channel = std::move(theirs),
               .master = self,
               .account = options_.account,
               .fault = options_.fault});
  }
  pid_ = pid;
  channel_ = std::move(ours);
  waits_for_room_ = false;
  delay_.on_start(loop_.now());
  return {};
}

Result<void> StoreSupervisor::listen() {
  NUR_TRY(loop_.watch(channel_.descriptor(), EPOLLIN, *this));
  is_watched_ = true;
  return {};
}

void StoreSupervisor::restart() {
  Result<void> started = start();
  if (started) started = listen();
  if (!started) {
    spdlog::error("{}", started.error().message);
    // One that nobody can hear ends when its channel does, and is buried then.
    close();
    if (pid_ == 0) restart_.set(loop_.now() + RestartDelay::kMost);
    return;
  }
  connect_all_();
}

bool StoreSupervisor::connect(WorkerProcess& worker) {
  if (worker.knows_store || !channel_.is_open() || waits_for_room_) return true;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    spdlog::error("{}", system_error_text("connecting the key-value store"));
    try_again_.set(loop_.now() + kTryAgain);
    return true;
  }
  const Fd of_store(ends[0]);
  const Fd of_worker(ends[1]);
  switch (channel_.send(StoreMessage{}, {of_store.get()})) {
    case Channel::Sent::yes:
      break;
    case Channel::Sent::no_room:
      waits_for_room_ = true;
      if (!loop_.rewatch(channel_.descriptor(), EPOLLIN | EPOLLOUT, *this)) close();
      return true;
    case Channel::Sent::peer_gone:
      return true;  // the next one is connected
  }
  // What the worker is not told of ends for the store, too.
  worker.knows_store = worker.send(StoreMessage{}, {of_worker.get()});
  return worker.knows_store;
}

bool StoreSupervisor::bury() {
  int status = 0;
  if (pid_ == 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  pid_ = 0;
  // What it has said before is heard first: why it ended.
  if (is_watched_) on_events(EPOLLIN);
  close();
  if (ending_) return true;
  spdlog::error("the key-value store died: {}", explain_death(status, options_.fault));
  restart_.set(loop_.now() + delay_.on_death(loop_.now()));
  return true;
}

void StoreSupervisor::on_events(std::uint32_t events) {
  while (channel_.is_open()) {
    const Result<std::optional<Channel::Received>> received = channel_.receive();
    if (!received) {
      // Its end is told by the kernel. One that talks nonsense is ended.
      const bool nonsense = received.error().kind == ErrorKind::invalid_input;
      if (nonsense) spdlog::error("key-value store: {}", received.error().message);
      if (nonsense && pid_ != 0) ::kill(pid_, SIGKILL);
      return close();
    }
    if (!*received) break;
    if (const auto* const refused = std::get_if<RefusedMessage>(&(*received)->message)) {
      spdlog::error("key-value store: {}", printable(refused->reason));
    }
  }
  if (!channel_.is_open() || (events & EPOLLOUT) == 0) return;
  waits_for_room_ = false;
  if (!loop_.rewatch(channel_.descriptor(), EPOLLIN, *this)) return close();
  connect_all_();
}

}  // namespace nur
