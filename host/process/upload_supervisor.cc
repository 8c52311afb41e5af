#include "host/process/upload_supervisor.h"

#include <csignal>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "base/log.h"
#include "host/net/socket_address.h"
#include "host/process/worker_process.h"

namespace nur {

UploadSupervisor::UploadSupervisor(EventLoop& loop, const UploadOptions& options, Fd listening,
                                   FaultRecord& fault)
    : loop_(loop),
      options_(options),
      listening_(std::move(listening)),
      fault_(fault),
      restart_(loop.timers(), [this] { restart(); }) {}

UploadSupervisor::~UploadSupervisor() {
  close();
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void UploadSupervisor::close() {
  if (std::exchange(is_watched_, false)) loop_.unwatch(channel_.descriptor(), *this);
  channel_.close();
}

Result<void> UploadSupervisor::begin() {
  NUR_TRY(start());
  const Result<Channel::Received> first = channel_.receive_waiting();
  if (!first) {
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return fail(ErrorKind::internal, "--upload: its process could not start: {}",
                explain_death(status, fault_));
  }
  if (const auto* const refused = std::get_if<RefusedMessage>(&first->message)) {
    return fail(ErrorKind::invalid_input, "{}", printable(refused->reason));
  }
  return listen();
}

Result<void> UploadSupervisor::start() {
  auto [ours, theirs] = NUR_TRY(Channel::make_pair());
  fault_ = FaultRecord{};
  const pid_t self = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("starting the process of uploads"));
  }
  if (pid == 0) {
    run_upload({.options = options_,
                .listening = Fd(listening_.get()),
                .channel = std::move(theirs),
                .master = self,
                .fault = fault_});
  }
  pid_ = pid;
  channel_ = std::move(ours);
  delay_.on_start(loop_.now());
  return {};
}

Result<void> UploadSupervisor::listen() {
  NUR_TRY(loop_.watch(channel_.descriptor(), EPOLLIN, *this));
  is_watched_ = true;
  return {};
}

void UploadSupervisor::restart() {
  Result<void> started = start();
  if (started) started = listen();
  if (started) return;
  spdlog::error("{}", started.error().message);
  // One that nobody can hear ends when its channel does, and is buried then.
  close();
  if (pid_ == 0) restart_.set(loop_.now() + RestartDelay::kMost);
}

bool UploadSupervisor::bury() {
  int status = 0;
  if (pid_ == 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  pid_ = 0;
  // What it has said before is heard first: why it ended.
  if (is_watched_) on_events(EPOLLIN);
  close();
  if (ending_) return true;
  spdlog::error("the process of uploads died: {}", explain_death(status, fault_));
  restart_.set(loop_.now() + delay_.on_death(loop_.now()));
  return true;
}

void UploadSupervisor::drain() {
  ending_ = true;
  restart_.clear();
  // Without room, which it has always had, it ends with its channel.
  if (channel_.is_open() && channel_.send(DrainMessage{}) != Channel::Sent::yes) close();
  listening_.reset();
}

void UploadSupervisor::stop() {
  ending_ = true;
  restart_.clear();
  if (pid_ != 0) ::kill(pid_, SIGKILL);
}

SocketAddress UploadSupervisor::address() const {
  SocketAddress address;
  address.bytes = sizeof address.storage;
  ::getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.bytes);
  return address;
}

void UploadSupervisor::on_events(std::uint32_t) {
  while (channel_.is_open()) {
    const Result<std::optional<Channel::Received>> received = channel_.receive();
    if (!received) {
      // Its end is told by the kernel. One that talks nonsense is ended.
      const bool nonsense = received.error().kind == ErrorKind::invalid_input;
      if (nonsense) spdlog::error("process of uploads: {}", received.error().message);
      if (nonsense && pid_ != 0) ::kill(pid_, SIGKILL);
      return close();
    }
    if (!*received) return;
    if (const auto* const refused = std::get_if<RefusedMessage>(&(*received)->message)) {
      spdlog::error("{}", printable(refused->reason));
    }
  }
}

Result<Path> upload_folder_of(const std::optional<Path>& asked, const std::vector<Path>& paths) {
  std::vector<Path> folders;
  for (const Path& path : paths) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) folders.push_back(path);
  }
  if (!asked) {
    if (folders.size() == 1) return folders.front();
    return fail(ErrorKind::invalid_input,
                "--upload: {} folders are served; name one of those that are with --upload-dir",
                folders.empty() ? std::string("no") : std::to_string(folders.size()));
  }
  for (const Path& folder : folders) {
    std::error_code error;
    if (std::filesystem::equivalent(folder, *asked, error)) return folder;
  }
  return fail(ErrorKind::invalid_input,
              "--upload-dir {}: not one of the folders that are served; name it among PATHS, too",
              asked->string());
}

}  // namespace nur
