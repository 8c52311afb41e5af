#include "host/net/signal_watch.h"

#include <cerrno>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/file.h"

namespace nur {

Result<std::unique_ptr<SignalWatch>> SignalWatch::open(EventLoop& loop,
                                                       std::initializer_list<int> signals,
                                                       std::function<void(int)> action) {
  sigset_t mask;
  sigemptyset(&mask);
  for (const int signal : signals) sigaddset(&mask, signal);

  Fd fd(::signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd.is_open()) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("creating a signal descriptor"));
  }
  sigset_t before;
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &mask, &before); error != 0) {
    errno = error;
    return fail(ErrorKind::internal, "{}", system_error_text("blocking signals"));
  }
  const int number = fd.get();
  std::unique_ptr<SignalWatch> made(
      new SignalWatch(loop, std::move(fd), before, std::move(action)));
  NUR_TRY(loop.watch(number, EPOLLIN, *made));
  return made;
}

SignalWatch::SignalWatch(EventLoop& loop, Fd fd, const sigset_t& before,
                         std::function<void(int)> action)
    : loop_(loop), fd_(std::move(fd)), before_(before), action_(std::move(action)) {}

SignalWatch::~SignalWatch() {
  loop_.unwatch(fd_.get(), *this);
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void SignalWatch::on_events(std::uint32_t) {
  signalfd_siginfo info;
  // One per event: the descriptor stays ready while there are more, and the action may destroy us.
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return;
  const std::function<void(int)> action = action_;
  action(static_cast<int>(info.ssi_signo));
}

}  // namespace nur
