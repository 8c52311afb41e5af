// try_bombs [--quick] NURC [NAME]...: compiles every kind of bomb (or those named) and prints a
// line each: what it took, in all processes together and in the largest of them, and how it ended.
//
// Fails when one ends in another way than its kind may, says too little, needs more than its share,
// or leaves a file behind.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <regex>
#include <set>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "tests/bombs/bomb.h"

namespace nur::bombs {
namespace {

constexpr long kPeakMibMax = 4096;
// Of one process by nurc's own limit; of all of them, which may not add up to much more.
constexpr double kCpuSecondsMax = 150;
constexpr int kWallSecondsMax = 600;

struct Run {
  int exit_code = -1;
  double wall_seconds = 0;
  double cpu_seconds = 0;
  long peak_mib = 0;
  std::string said;
};

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

Result<Run> run(const Path& nurc, const Path& module, const Path& output, const Path& folder) {
  const Path log = folder / "said";
  const auto began = std::chrono::steady_clock::now();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(ErrorKind::exhausted, "{}", system_error_text("starting nurc"));
  if (pid == 0) {
    ::setenv("TMPDIR", (folder / "tmp").c_str(), 1);
    const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(fd, 1);
    ::dup2(fd, 2);
    ::alarm(kWallSecondsMax);
    ::execl(nurc.c_str(), nurc.c_str(), "compile", "--no-cache", module.c_str(), "-o",
            output.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  rusage used{};
  if (::wait4(pid, &status, 0, &used) != pid) {
    return fail(ErrorKind::internal, "{}", system_error_text("waiting for nurc"));
  }
  Run run;
  run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  run.wall_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  run.cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  run.peak_mib = used.ru_maxrss / 1024;
  run.said = NUR_TRY(read_file(log, 1 << 20));
  return run;
}

// What is wrong with how it went; nothing when nothing is.
std::string complaint(const Bomb& bomb, const Run& run, const Path& output, const Path& folder) {
  if (!std::filesystem::is_empty(folder / "tmp")) return "scratch files were left behind";
  if (run.peak_mib > kPeakMibMax) return "a process grew too large";
  if (run.cpu_seconds > kCpuSecondsMax) return "it took too long";
  const bool there = std::filesystem::exists(output);
  if (run.exit_code == 0) {
    if (bomb.ending == Ending::refusal) return "it was not refused";
    return there ? "" : "there is no artefact";
  }
  if (there) return "a refused module left an artefact";
  if (bomb.ending == Ending::artefact) return "it was refused";
  const bool may_be_3 = bomb.ending == Ending::tool_dies;
  if (run.exit_code != 1 && !(run.exit_code == 3 && may_be_3)) {
    return fmt::format("exit code {}", run.exit_code);
  }
  if (!run.said.starts_with("nurc: ")) return "it does not say why";
  if (!std::regex_search(run.said, std::regex(bomb.says))) return "it does not say " + bomb.says;
  return "";
}

std::string outcome(const Run& run) {
  if (run.exit_code == 0) return "artefact";
  std::string_view text = run.said;
  text = text.substr(0, text.find('\n'));
  const std::size_t reason = text.find(": ", text.find(": ") + 1);
  if (reason != std::string_view::npos) text.remove_prefix(reason + 2);
  return fmt::format("{}: {}", run.exit_code, printable(text, 90));
}

Result<bool> try_one(const Path& nurc, const Bomb& bomb) {
  const ScratchDir scratch = NUR_TRY(ScratchDir::create("nur-bombs-"));
  const Path& folder = scratch.path();
  const Path module = folder / (bomb.is_text ? "bomb.wat" : "bomb.wasm");
  const Path output = folder / "bomb.so";
  std::filesystem::create_directory(folder / "tmp");
  const std::string bytes = bomb.make();
  NUR_TRY(write_file(module, bytes));
  const Run result = NUR_TRY(run(nurc, module, output, folder));
  const std::string wrong = complaint(bomb, result, output, folder);
  fmt::print("{:<36}{:>9}{:>9.1f}{:>9.1f}{:>9}  {}\n", bomb.name, bytes.size() / 1024,
             result.wall_seconds, result.cpu_seconds, result.peak_mib, outcome(result));
  if (!wrong.empty()) fmt::print("  WRONG: {}: {}\n", wrong, printable(result.said, 2000));
  std::fflush(stdout);
  return wrong.empty();
}

int main(int argc, char** argv) {
  std::set<std::string> names(argv + 1, argv + argc);
  const bool quick = names.erase("--quick") != 0;
  const int first = quick ? 2 : 1;
  const bool all = argc <= first + 1;
  if (first >= argc) {
    fmt::print(stderr, "usage: try_bombs [--quick] NURC [NAME]...\n");
    return 2;
  }
  const Path nurc = argv[first];
  names.erase(argv[first]);

  std::vector<Bomb> bombs = code_bombs();
  for (Bomb& bomb : shape_bombs()) bombs.push_back(std::move(bomb));
  fmt::print("{:<36}{:>9}{:>9}{:>9}{:>9}  {}\n", "bomb", "KiB", "wall s", "CPU s", "peak MiB",
             "outcome");
  int count = 0;
  int wrong = 0;
  for (const Bomb& bomb : bombs) {
    if (quick && !bomb.quick) continue;
    if (!all && names.erase(bomb.name) == 0) continue;
    ++count;
    const Result<bool> good = try_one(nurc, bomb);
    if (!good) fmt::print("  WRONG: {}\n", good.error().message);
    if (!good || !*good) ++wrong;
  }
  for (const std::string& name : names) fmt::print(stderr, "try_bombs: no kind {}\n", name);
  fmt::print("bombs kinds={} wrong={}\n", count, wrong);
  return wrong == 0 && count > 0 && names.empty() ? 0 : 1;
}

}  // namespace
}  // namespace nur::bombs

int main(int argc, char** argv) { return nur::bombs::main(argc, argv); }
