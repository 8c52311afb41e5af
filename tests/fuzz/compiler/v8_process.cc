#include "tests/fuzz/compiler/v8_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nur::fuzz {
namespace {

constexpr std::string_view kEnd = "\nend\n";
constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 20;
// After so many answers a new one takes its place: what V8 keeps of modules stays small.
constexpr int kAnswersMax = 500;

[[noreturn]] void become_node(const V8Process::Options& options, int input, int output) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::dup2(input, 0) < 0 || ::dup2(output, 1) < 0) ::_exit(127);
  ::execl(options.node.c_str(), "node", "--expose-gc", options.script.c_str(), nullptr);
  ::_exit(127);
}

}  // namespace

Result<void> V8Process::start() {
  std::array<int, 2> to{};
  std::array<int, 2> from{};
  if (::pipe2(to.data(), O_CLOEXEC) != 0 || ::pipe2(from.data(), O_CLOEXEC) != 0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("creating a pipe"));
  }
  const Fd node_input(to[0]);
  const Fd node_output(from[1]);
  input_ = Fd(to[1]);
  output_ = Fd(from[0]);
  child_ = ::fork();
  if (child_ < 0) return fail(ErrorKind::exhausted, "{}", system_error_text("starting node"));
  if (child_ == 0) become_node(options_, node_input.get(), node_output.get());
  answered_ = 0;
  return {};
}

std::string V8Process::stop() {
  if (child_ < 0) return "";
  input_.reset();
  ::kill(child_, SIGKILL);
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
  return WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                             : fmt::format("exit {}", WEXITSTATUS(status));
}

Result<std::string> V8Process::ask(const std::string& line) {
  if (child_ >= 0 && answered_ >= kAnswersMax) stop();
  if (child_ < 0) NUR_TRY(start());
  ++answered_;

  // Node reads all of a line before it answers, so this cannot wait for that.
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t count = ::write(input_.get(), rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(ErrorKind::internal, "node ended: {}", stop());
    rest.remove_prefix(static_cast<std::size_t>(count));
  }

  std::string answer = "\n";
  const TimePoint end = SystemClock().now() + options_.answer_time;
  std::array<char, 65536> buffer;
  while (!answer.ends_with(kEnd)) {
    const auto left = std::chrono::duration_cast<Milliseconds>(end - SystemClock().now()).count();
    pollfd watched{output_.get(), POLLIN, 0};
    if (left <= 0 || answer.size() > kAnswerBytesMax) {
      stop();
      return answer + "timeout\n";
    }
    if (::poll(&watched, 1, static_cast<int>(left)) <= 0) continue;
    const ssize_t count = ::read(output_.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      // Closed: it is gone, or about to be.
      int status = 0;
      while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
      }
      child_ = -1;
      return answer + fmt::format("lost node ended with status {}\n", status);
    }
    answer.append(buffer.data(), static_cast<std::size_t>(count));
  }
  answer.resize(answer.size() - kEnd.size() + 1);
  return answer;
}

}  // namespace nur::fuzz
