#include "host/run/profile_at_end.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <pthread.h>
#include <thread>
#include <unistd.h>

#include "host/serve/profile.h"

namespace nur {

struct ProfileAtEnd::Watch {
  const Function& function;
  Path file;
  std::atomic<bool> done = false;
  std::thread thread = {};

  void wait_for(const sigset_t& signals) {
    int signal = 0;
    if (::sigwait(&signals, &signal) != 0 || done) return;
    // The guest goes on counting meanwhile; each count is one word, old or new.
    const Result<void> written = write_profile(function, file);
    if (!written) fmt::print(stderr, "nurhost: {}\n", written.error().message);
    ::_exit(128 + signal);
  }
};

Result<ProfileAtEnd> ProfileAtEnd::begin(const Function& function, const Path& file) {
  if (!function.module().manifest().profile_generate)
    return std::unexpected(function.module().profile().error());
  auto watch = std::make_unique<Watch>(function, file);
  sigset_t ending;
  ::sigemptyset(&ending);
  ::sigaddset(&ending, SIGTERM);
  ::sigaddset(&ending, SIGINT);
  sigset_t all;
  sigset_t before;
  // The new thread takes no signal, so that traps and alarms stay with the guest's.
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  watch->thread = std::thread([watch = watch.get(), ending] { watch->wait_for(ending); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  return ProfileAtEnd(std::move(watch));
}

Result<void> ProfileAtEnd::write() {
  watch_->done = true;
  ::pthread_kill(watch_->thread.native_handle(), SIGTERM);
  watch_->thread.join();
  return write_profile(watch_->function, watch_->file);
}

ProfileAtEnd::ProfileAtEnd(std::unique_ptr<Watch> watch) : watch_(std::move(watch)) {}
ProfileAtEnd::ProfileAtEnd(ProfileAtEnd&&) noexcept = default;

ProfileAtEnd::~ProfileAtEnd() {
  if (watch_ == nullptr || !watch_->thread.joinable()) return;
  watch_->done = true;
  ::pthread_kill(watch_->thread.native_handle(), SIGTERM);
  watch_->thread.join();
}

}  // namespace nur
