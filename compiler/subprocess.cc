#include "compiler/subprocess.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

namespace nur {
namespace {

// Of a child's output we keep enough to explain a failure.
constexpr std::size_t kOutputBytesMax = 256 << 10;
constexpr std::size_t kLastWordsBytes = 2000;

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("creating a pipe"));
  }
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// What runs between fork and exec of a program with threads makes system calls only.

struct Streams {
  int output;
  int errors;
};

[[noreturn]] void become(const Command& command, char* const* arguments, char* const* environment,
                         const Streams& streams) {
  const auto limit = [](int resource, std::uint64_t value, std::uint64_t grace = 0) {
    const rlimit both{value, value + grace};
    ::setrlimit(static_cast<__rlimit_resource>(resource), &both);
  };
  limit(RLIMIT_CPU, command.limits.cpu_seconds, 1);  // SIGXCPU says why, before SIGKILL
  limit(RLIMIT_AS, command.limits.memory_bytes);
  limit(RLIMIT_FSIZE, command.limits.file_bytes);
  limit(RLIMIT_CORE, 0);

  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing < 0 || ::dup2(nothing, 0) < 0 || ::dup2(streams.output, 1) < 0 ||
      ::dup2(streams.errors, 2) < 0 || ::chdir(command.folder.c_str()) != 0) {
    ::_exit(127);
  }
  ::signal(SIGTERM, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(arguments[0], arguments, environment);
  ::_exit(127);
}

// Ends as the program did.
[[noreturn]] void end_as(pid_t program) {
  int status = 0;
  while (::waitpid(program, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) ::_exit(WEXITSTATUS(status));
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::signal(WTERMSIG(status), SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::kill(::getpid(), WTERMSIG(status));
  ::_exit(127);
}

// The first of a process group of which the program is the second. A compiler has children of its
// own, which no death signal of ours reaches; the group is killed when the thread that asked for
// the program is gone, however it went.
[[noreturn]] void watch_over(const Command& command, char* const* arguments,
                             char* const* environment, const Streams& streams, pid_t parent) {
  ::setpgid(0, 0);
  ::signal(SIGTERM, [](int) { ::kill(0, SIGKILL); });
  sigset_t all_but_one;
  ::sigfillset(&all_but_one);
  ::sigdelset(&all_but_one, SIGTERM);
  ::sigprocmask(SIG_SETMASK, &all_but_one, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);  // died before the line above

  const pid_t program = ::_Fork();
  if (program < 0) ::_exit(127);
  if (program == 0) become(command, arguments, environment, streams);
  // Whoever reads from a pipe waits until nobody can write to it any more.
  if (::syscall(SYS_close_range, 0U, ~0U, 0U) != 0) {
    for (int fd = 0; fd < 1024; ++fd) ::close(fd);
  }
  end_as(program);
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Appends what is there to read; false at the end of the stream.
bool drain(const Fd& from, std::string& into) {
  std::array<char, 16384> buffer;
  const ssize_t count = ::read(from.get(), buffer.data(), buffer.size());
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  const std::size_t room = kOutputBytesMax - std::min(kOutputBytesMax, into.size());
  into.append(buffer.data(), std::min(room, static_cast<std::size_t>(count)));
  return count > 0;
}

// Tools quote the module in what they say; what a terminal would take for a command is made
// visible.
std::string last_words(std::string_view errors) {
  while (!errors.empty() && (errors.back() == '\n' || errors.back() == ' '))
    errors.remove_suffix(1);
  if (errors.size() > kLastWordsBytes) errors.remove_prefix(errors.size() - kLastWordsBytes);
  std::string words;
  while (true) {
    const std::size_t end = errors.find('\n');
    words += printable(errors.substr(0, end), kLastWordsBytes);
    if (end == std::string_view::npos) return words;
    words += '\n';
    errors.remove_prefix(end + 1);
  }
}

enum class Ending { exited, out_of_time, interrupted };

// Reads both streams until the child has closed them and exited, its time is up, or the user stops.
Ending wait_for(const Fd& child, const Fd& output, const Fd& errors, const Interrupt& interrupt,
                Milliseconds wall, std::string& output_text, std::string& error_text) {
  const SystemClock clock;
  const TimePoint end = clock.now() + wall;
  std::array<pollfd, 4> watched{pollfd{child.get(), POLLIN, 0}, pollfd{output.get(), POLLIN, 0},
                                pollfd{errors.get(), POLLIN, 0}, pollfd{interrupt.fd(), POLLIN, 0}};
  while (watched[0].fd >= 0 || watched[1].fd >= 0 || watched[2].fd >= 0) {
    const auto left = std::chrono::duration_cast<Milliseconds>(end - clock.now());
    if (left.count() <= 0) return Ending::out_of_time;
    if (::poll(watched.data(), watched.size(), static_cast<int>(left.count()) + 1) < 0) continue;
    if (watched[3].revents != 0) return Ending::interrupted;
    if (watched[0].revents != 0) watched[0].fd = -1;
    if (watched[1].revents != 0 && !drain(output, output_text)) watched[1].fd = -1;
    if (watched[2].revents != 0 && !drain(errors, error_text)) watched[2].fd = -1;
  }
  return Ending::exited;
}

}  // namespace

Result<Interrupt> Interrupt::listen() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGHUP);
  if (::pthread_sigmask(SIG_BLOCK, &signals, nullptr) != 0) {
    return fail(ErrorKind::internal, "blocking signals failed");
  }
  Fd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.is_open())
    return fail(ErrorKind::exhausted, "{}", system_error_text("making a signalfd"));
  return Interrupt(std::move(fd));
}

bool Interrupt::raised() const {
  pollfd watched{fd(), POLLIN, 0};
  return ::poll(&watched, 1, 0) == 1;
}

Result<std::string> run_process(const Command& command, const Interrupt& interrupt) {
  const std::string name = Path(command.arguments[0]).filename().string();
  Pipe output = NUR_TRY(make_pipe());
  Pipe errors = NUR_TRY(make_pipe());

  std::vector<std::string> arguments = command.arguments;
  // Nothing of the caller's environment changes what is made (SOURCE_DATE_EPOCH, GCC_*, LC_*).
  std::vector<std::string> environment{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC",
                                       "SOURCE_DATE_EPOCH=0", "TMPDIR=" + command.folder.string()};
  const std::vector<char*> argv = pointers_to(arguments);
  const std::vector<char*> envp = pointers_to(environment);

  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("starting " + name));
  }
  if (pid == 0) {
    watch_over(command, argv.data(), envp.data(), {output.write.get(), errors.write.get()}, parent);
  }
  output.write.reset();
  errors.write.reset();

  const Fd child(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  std::string output_text;
  std::string error_text;
  const Ending ending = wait_for(child, output.read, errors.read, interrupt, command.limits.wall,
                                 output_text, error_text);
  if (ending != Ending::exited) {
    ::kill(-pid, SIGKILL);
    ::kill(pid, SIGKILL);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }

  if (ending == Ending::interrupted) return fail(ErrorKind::interrupted, "interrupted");
  if (ending == Ending::out_of_time) {
    return fail(ErrorKind::limit_exceeded, "{} ran for more than {} s and was stopped", name,
                command.limits.wall.count() / 1000);
  }
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    if (signal == SIGXCPU) {
      return fail(ErrorKind::limit_exceeded, "{} was stopped after its limit of {} s of CPU time",
                  name, command.limits.cpu_seconds);
    }
    if (signal == SIGXFSZ) {
      return fail(ErrorKind::limit_exceeded, "{} wrote a file of more than {} bytes", name,
                  command.limits.file_bytes);
    }
    return fail(ErrorKind::internal, "{} died by signal {} ({})", name, signal,
                ::strsignal(signal));
  }
  if (WEXITSTATUS(status) == 127 && error_text.empty()) {
    return fail(ErrorKind::internal, "{} could not be started", command.arguments[0]);
  }
  if (WEXITSTATUS(status) != 0) {
    // The compiler reports its own children's deaths and failed allocations as text only.
    const bool out_of_memory = error_text.find("out of memory") != std::string::npos ||
                               error_text.find("cannot allocate") != std::string::npos ||
                               error_text.find("bad_alloc") != std::string::npos;
    const bool killed = error_text.find("Killed signal") != std::string::npos ||
                        error_text.find("CPU time limit") != std::string::npos ||
                        error_text.find("File size limit") != std::string::npos;
    const bool disk_full = error_text.find("No space left on device") != std::string::npos;
    const ErrorKind kind = disk_full                 ? ErrorKind::exhausted
                           : out_of_memory || killed ? ErrorKind::limit_exceeded
                                                     : ErrorKind::invalid_input;
    return fail(kind, "{} failed ({}): {}", name, WEXITSTATUS(status), last_words(error_text));
  }
  return output_text;
}

Result<std::string> run_trusted_process(const Command& command, const Interrupt& interrupt) {
  Result<std::string> output = run_process(command, interrupt);
  if (!output && output.error().kind == ErrorKind::invalid_input) {
    return fail(ErrorKind::internal, "{}", output.error().message);
  }
  return output;
}

Result<std::string> read_output(const Path& file, std::size_t bytes_max) {
  Result<std::string> bytes = read_file(file, bytes_max);
  if (!bytes && bytes.error().kind == ErrorKind::not_found) {
    return fail(ErrorKind::internal, "a tool ended well without making {}",
                file.filename().string());
  }
  return bytes;
}

}  // namespace nur
