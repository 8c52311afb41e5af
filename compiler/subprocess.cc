#include "compiler/subprocess.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/units.h"
#include "compiler/fence.h"

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

// All that the processes between us and the tool look at.
struct Launch {
  const Command& command;
  const Fence& fence;
  char* const* arguments;
  char* const* environment;
  int output;
  int errors;

  [[nodiscard]] const char* writable() const {
    return command.only_reads ? nullptr : command.folder.c_str();
  }
};

// What a child says in a tool's place when it does not come to start it.
constexpr std::string_view kFenceSign = "putting up the fence: ";

[[noreturn]] void give_up(const Launch& launch, std::string_view step) {
  const std::string_view reason = ::strerrordesc_np(errno);
  for (const std::string_view part : {kFenceSign, step, std::string_view(": "), reason}) {
    if (::write(launch.errors, part.data(), part.size()) < 0) break;
  }
  ::_exit(127);
}

[[noreturn]] void become(const Launch& launch) {
  const Command& command = launch.command;
  const auto limit = [](int resource, std::uint64_t value, std::uint64_t grace = 0) {
    const rlimit both{value, value + grace};
    ::setrlimit(static_cast<__rlimit_resource>(resource), &both);
  };
  limit(RLIMIT_CPU, command.limits.cpu_seconds, 1);  // SIGXCPU says why, before SIGKILL
  limit(RLIMIT_AS, command.limits.memory_bytes);
  limit(RLIMIT_FSIZE, command.limits.file_bytes);
  limit(RLIMIT_CORE, 0);
  if (launch.fence.counts_own_processes()) limit(RLIMIT_NPROC, command.limits.processes);

  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing < 0 || ::dup2(nothing, 0) < 0 || ::dup2(launch.output, 1) < 0 ||
      ::dup2(launch.errors, 2) < 0 || ::chdir(command.folder.c_str()) != 0) {
    ::_exit(127);
  }
  if (const char* step = launch.fence.confine(launch.writable())) give_up(launch, step);
  ::signal(SIGTERM, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(launch.arguments[0], launch.arguments, launch.environment);
  ::_exit(127);
}

// Whoever reads from a pipe waits until nobody can write to it any more.
constexpr int kNone = -1;
void close_all_but(int kept) {
  const auto close_range = [](int first, unsigned last) {
    return ::syscall(SYS_close_range, static_cast<unsigned>(first), last, 0U) == 0;
  };
  const bool below = kept <= 0 || close_range(0, static_cast<unsigned>(kept) - 1);
  if (below && close_range(kept + 1, ~0U)) return;
  for (int fd = 0; fd < 1024; ++fd) {
    if (fd != kept) ::close(fd);
  }
}

int wait_status_of(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// Ends as a program of this wait status did.
[[noreturn]] void end_as(int status) {
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

// The first process inside, with which the kernel ends all others. Signals reach it from outside
// only, so it tells how the tool ended by `report`.
[[noreturn]] void be_init(const Launch& launch, int report) {
  ::signal(SIGTERM, SIG_DFL);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  pollfd reader{report, POLLOUT, 0};
  if (::poll(&reader, 1, 0) < 0 || (reader.revents & POLLERR) != 0) ::_exit(127);  // died before
  launch.fence.hide_processes();

  const pid_t program = ::_Fork();
  if (program == 0) become(launch);
  if (program < 0) give_up(launch, "starting a process");
  close_all_but(report);
  int status = 0;
  while (true) {
    const pid_t ended = ::waitpid(-1, &status, 0);
    if (ended == program || (ended < 0 && errno != EINTR)) break;
  }
  ::_exit(::write(report, &status, sizeof status) == sizeof status ? 0 : 127);
}

// Starts init, and passes on what it reports.
[[noreturn]] void run_inside(const Launch& launch) {
  std::array<int, 2> report{};
  if (::pipe2(report.data(), O_CLOEXEC) != 0) give_up(launch, "creating a pipe");
  const pid_t init = ::_Fork();
  if (init == 0) {
    ::close(report[0]);
    be_init(launch, report[1]);
  }
  if (init < 0) give_up(launch, "starting a process");
  close_all_but(report[0]);
  int status = 0;
  ssize_t count = 0;
  while ((count = ::read(report[0], &status, sizeof status)) < 0 && errno == EINTR) {
  }
  const int of_init = wait_status_of(init);
  end_as(count == sizeof status ? status : of_init);
}

// The first of a session that the program is in. A compiler has children of its own, which no death
// signal of ours reaches; the session is killed when the thread that asked for the program is gone,
// however it went. It has no terminal, so nothing inside can type into ours.
[[noreturn]] void watch_over(const Launch& launch, pid_t parent) {
  ::setsid();
  ::signal(SIGTERM, [](int) { ::kill(0, SIGKILL); });
  sigset_t all_but_one;
  ::sigfillset(&all_but_one);
  ::sigdelset(&all_but_one, SIGTERM);
  ::sigprocmask(SIG_SETMASK, &all_but_one, nullptr);
  if (const char* step = launch.fence.enclose(launch.writable())) give_up(launch, step);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);       // here, for a change of rights takes it back
  if (::getppid() != parent) ::_exit(127);  // died before the line above

  if (launch.fence.has_own_processes()) run_inside(launch);
  const pid_t program = ::_Fork();
  if (program < 0) give_up(launch, "starting a process");
  if (program == 0) become(launch);
  close_all_but(kNone);
  end_as(wait_status_of(program));
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

// Which limit a program ran into that says so in words only: the compiler's driver reports its
// children's deaths and failed allocations as text.
struct Told {
  std::string_view words;
  int signal;  // that a program without a driver dies by
};
constexpr int kOutOfMemory = 0;
constexpr Told kTold[] = {
    {"out of memory", kOutOfMemory},
    {"memory exhausted", kOutOfMemory},  // "virtual" of the assembler
    {"annot allocate memory", kOutOfMemory},
    {"bad_alloc", kOutOfMemory},
    {"CPU time limit exceeded", SIGXCPU},
    {"File size limit exceeded", SIGXFSZ},
    {"File too large", SIGXFSZ},
};

std::optional<std::string> limit_it_hit(const ProcessLimits& limits, int status,
                                        std::string_view errors) {
  std::optional<int> limit;
  for (const Told& told : kTold) {
    if (errors.find(told.words) != std::string_view::npos) limit = told.signal;
  }
  if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGXFSZ)) {
    limit = WTERMSIG(status);
  }
  if (!limit) return std::nullopt;
  if (*limit == SIGXCPU) {
    return fmt::format("was stopped after its limit of {} s of CPU time", limits.cpu_seconds);
  }
  if (*limit == SIGXFSZ) {
    return fmt::format("wrote a file of more than {} bytes, which is the limit", limits.file_bytes);
  }
  return fmt::format("needs more than its limit of {} of memory", format_size(limits.memory_bytes));
}

Error why_it_failed(const Command& command, const std::string& name, int status,
                    const std::string& errors) {
  // A full disk makes tools say all kinds of things besides.
  const bool disk_full = errors.find("No space left on device") != std::string::npos;
  if (const auto limit = limit_it_hit(command.limits, status, errors); limit && !disk_full) {
    return {ErrorKind::limit_exceeded, fmt::format("{} {}", name, *limit)};
  }
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return {ErrorKind::internal,
            fmt::format("{} died by signal {} ({})", name, signal, ::strsignal(signal))};
  }
  if (WEXITSTATUS(status) == 127 && errors.empty()) {
    return {ErrorKind::internal, fmt::format("{} could not be started", command.arguments[0])};
  }
  if (WEXITSTATUS(status) == 127 && errors.starts_with(kFenceSign)) {
    return {ErrorKind::internal, fmt::format("{} was not started: {}", name, last_words(errors))};
  }
  // Its driver lives on to tell.
  const bool died = errors.find("signal terminated program") != std::string::npos ||
                    errors.find("internal compiler error") != std::string::npos;
  if (died && !disk_full) {
    return {ErrorKind::internal, fmt::format("a process of {} died: {}", name, last_words(errors))};
  }
  return {disk_full ? ErrorKind::exhausted : ErrorKind::invalid_input,
          fmt::format("{} failed ({}): {}", name, WEXITSTATUS(status), last_words(errors))};
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

  const Launch launch{command,     Fence::of_this_machine(), argv.data(),
                      envp.data(), output.write.get(),       errors.write.get()};
  const pid_t parent = ::getpid();
  const pid_t pid = ::_Fork();
  if (pid < 0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("starting " + name));
  }
  if (pid == 0) watch_over(launch, parent);
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
  if (status != 0) return std::unexpected(why_it_failed(command, name, status, error_text));
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
