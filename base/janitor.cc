#include "base/janitor.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nur {
namespace {

// What runs in the fork of a program with threads makes system calls only.

constexpr int kLine = 0;
constexpr int kTries = 200;
constexpr timespec kBetweenTries{0, 50'000'000};

void keep_nothing_but(int line) {
  ::dup2(line, kLine);
  if (::syscall(SYS_close_range, kLine + 1, ~0U, 0U) != 0) {
    for (int fd = kLine + 1; fd < 1024; ++fd) ::close(fd);
  }
}

void remove_once(const char* path) {
  const pid_t pid = ::_Fork();
  if (pid == 0) {
    std::array<const char*, 5> arguments{"rm", "-rf", "--", path, nullptr};
    std::array<char*, 1> environment{nullptr};
    ::execve("/bin/rm", const_cast<char* const*>(arguments.data()), environment.data());
    ::_exit(127);
  }
  while (pid > 0 && ::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

[[noreturn]] void stand_by(const char* path, bool make, int line) {
  // Neither the terminal's signals nor a kill of our group is meant for it.
  ::setsid();
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::prctl(PR_SET_PDEATHSIG, 0);
  ::prctl(PR_SET_NAME, "nur-janitor");
  keep_nothing_but(line);

  const int error = make && ::mkdir(path, 0700) != 0 ? errno : 0;
  ::send(kLine, &error, sizeof error, MSG_NOSIGNAL);
  if (error != 0) ::_exit(0);

  char goodbye = 0;
  ssize_t count = 0;
  while ((count = ::read(kLine, &goodbye, 1)) < 0 && errno == EINTR) {
  }
  if (count == 1) ::_exit(0);

  struct stat status {};
  for (int tries = 0; tries < kTries && ::lstat(path, &status) == 0; ++tries) {
    remove_once(path);
    ::nanosleep(&kBetweenTries, nullptr);
  }
  ::_exit(0);
}

}  // namespace

Result<Janitor> Janitor::make_folder(const Path& path) {
  return start(path, Chore::make_and_remove);
}

Result<Janitor> Janitor::watch(const Path& path) { return start(path, Chore::remove); }

Result<Janitor> Janitor::start(const Path& path, Chore chore) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("creating a socket"));
  }
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  const pid_t pid = ::_Fork();
  if (pid < 0) return fail(ErrorKind::exhausted, "{}", system_error_text("starting a janitor"));
  if (pid == 0) stand_by(path.c_str(), chore == Chore::make_and_remove, theirs.get());
  theirs.reset();

  Janitor janitor(pid, std::move(ours));
  int error = 0;
  ssize_t count = 0;
  while ((count = ::recv(janitor.line_.get(), &error, sizeof error, 0)) < 0 && errno == EINTR) {
  }
  if (count != sizeof error) return fail(ErrorKind::internal, "a janitor died");
  if (error == 0) return janitor;
  return fail(kind_of_errno(error), "creating scratch folder {}: {}", path.string(),
              std::strerror(error));
}

Janitor::Janitor(Janitor&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), line_(std::move(other.line_)) {}

Janitor::~Janitor() {
  if (pid_ < 0) return;
  const char goodbye = 0;
  ::send(line_.get(), &goodbye, 1, MSG_NOSIGNAL);
  line_.reset();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace nur
