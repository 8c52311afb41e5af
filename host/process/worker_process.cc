#include "host/process/worker_process.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "base/log.h"
#include "host/process/system_calls.h"

namespace nur {

Result<void> WorkerProcess::began(pid_t new_pid, Channel channel) {
  pid = new_pid;
  channel_ = std::move(channel);
  deployed = 0;
  told_to_serve = knows_store = ready = waits_for_room_ = false;
  delay.on_start(loop_.now());
  return loop_.watch(channel_.descriptor(), EPOLLIN, *this);
}

void WorkerProcess::ended() {
  pid = 0;
  ready = false;
  close();
}

void WorkerProcess::close() {
  if (!channel_.is_open()) return;
  loop_.unwatch(channel_.descriptor(), *this);
  channel_.close();
}

bool WorkerProcess::send(const Message& message, std::initializer_list<int> descriptors) {
  if (!channel_.is_open()) return false;
  const Channel::Sent sent = channel_.send(message, descriptors);
  const bool wait = sent == Channel::Sent::no_room;
  if (wait != waits_for_room_) {
    waits_for_room_ = wait;
    const std::uint32_t events = wait ? EPOLLIN | EPOLLOUT : EPOLLIN;
    if (!loop_.rewatch(channel_.descriptor(), events, *this)) close();
  }
  return sent == Channel::Sent::yes;
}

void WorkerProcess::on_events(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) owner_.deploy_to(*this);
  while (channel_.is_open()) {
    Result<std::optional<Channel::Received>> received = channel_.receive();
    if (!received) {
      // Its end is told by the kernel, with the reason. One that talks nonsense is ended.
      const bool nonsense = received.error().kind == ErrorKind::invalid_input;
      close();
      if (nonsense && is_running()) {
        spdlog::error("worker {}: {}", pid, received.error().message);
        ::kill(pid, SIGKILL);
      }
      return;
    }
    if (!*received) return;
    owner_.on_message(*this, (*received)->message);
  }
}

std::string explain_death(int status, const FaultRecord& fault) {
  if (WIFEXITED(status)) return fmt::format("exit code {}", WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  std::string text = fmt::format("signal {} ({})", signal, ::strsignal(signal));
  if (fault.signal != signal) return text;
  if (signal == SIGSYS) text += ", system call " + system_call_name(fault.system_call);
  text += fmt::format(", program counter {:#x}", fault.program_counter);
  if (signal == SIGSEGV || signal == SIGBUS) text += fmt::format(", address {:#x}", fault.address);
  return text;
}

bool is_own_fault(int status) {
  if (WIFEXITED(status)) return true;
  constexpr int kFaults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};
  return std::ranges::find(kFaults, WTERMSIG(status)) != std::end(kFaults);
}

}  // namespace nur
