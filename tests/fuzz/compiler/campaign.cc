#include "tests/fuzz/compiler/campaign.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/log.h"

namespace nur::fuzz {
namespace {

using Json = nlohmann::json;

constexpr unsigned kJobsMax = 64;
// Every step of a module has a limit of its own; theirs together are less.
constexpr std::chrono::seconds kModuleTime{600};
// What a module that is under way at the end still gets.
constexpr std::chrono::seconds kGraceTime{30};
constexpr std::chrono::seconds kProgressTime{60};

// Shared by all processes of a campaign.
struct Board {
  std::atomic<std::uint64_t> next;
  std::atomic<bool> over;
  struct Desk {
    std::atomic<std::uint64_t> number;
    std::atomic<std::int64_t> since_ms;  // 0 between modules
  } desks[kJobsMax];
};

std::int64_t now_ms() {
  return std::chrono::duration_cast<Milliseconds>(SystemClock().now().time_since_epoch()).count();
}

// One line, which a pipe takes at once: below PIPE_BUF.
void report(int pipe, const Json& line) {
  const std::string text = line.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
  if (::write(pipe, text.data(), text.size()) < 0) ::_exit(3);
}

Result<Verdict> try_number(std::uint64_t number, const CampaignOptions& options, const Bench& bench,
                           std::string& kept) {
  Recipe recipe = make_recipe(options.seed, number, cpu_level_here());
  choose_from_corpus(recipe, options.corpus);
  const Result<std::string> module =
      make_module(recipe, options.wasm_opt, bench.folder, bench.interrupt);
  if (!module) {
    if (module.error().kind == ErrorKind::exhausted ||
        module.error().kind == ErrorKind::interrupted) {
      return std::unexpected(module.error());
    }
    // Binaryen's own limits and defects.
    Verdict verdict;
    verdict.kind = Verdict::Kind::not_made;
    verdict.reason = module.error().message.substr(0, module.error().message.find('\n'));
    return verdict;
  }
  const Verdict verdict = NUR_TRY(try_module(*module, recipe, bench));
  if (verdict.kind == Verdict::Kind::finding) {
    kept = NUR_TRY(keep_finding(options.findings, *module, recipe, verdict)).string();
  }
  return verdict;
}

[[noreturn]] void work(const CampaignOptions& options, const Toolchain& toolchain,
                       const Interrupt& interrupt, Board& board, unsigned desk, int pipe,
                       const Path& folder) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // What nurc leaves behind when this process is killed goes with the folder.
  ::setenv("TMPDIR", folder.c_str(), 1);
  V8Process v8(options.v8);
  while (!board.over && !interrupt.raised()) {
    const std::uint64_t number = board.next++;
    if (options.modules_max > 0 && number >= options.first + options.modules_max) break;
    board.desks[desk].number = number;
    board.desks[desk].since_ms = now_ms();
    std::string kept;
    const Result<Verdict> verdict =
        try_number(number, options, {toolchain, interrupt, v8, folder}, kept);
    board.desks[desk].since_ms = 0;
    if (!verdict) {
      if (verdict.error().kind == ErrorKind::interrupted) break;
      report(pipe, {{"number", number}, {"trouble", verdict.error().message.substr(0, 1000)}});
      break;
    }
    report(pipe, {{"number", number},
                  {"kind", static_cast<int>(verdict->kind)},
                  {"reason", verdict->reason.substr(0, 500)},
                  {"kept", kept},
                  {"calls", verdict->calls},
                  {"traps", verdict->traps},
                  {"incomparable", verdict->incomparable}});
  }
  // Not the destructors of what is the parent's.
  v8.~V8Process();
  ::_exit(0);
}

class Campaign {
 public:
  Campaign(const CampaignOptions& options, const Toolchain& toolchain, const Interrupt& interrupt,
           Board& board)
      : options_(options), toolchain_(toolchain), interrupt_(interrupt), board_(board) {
    board_.next = options.first;
  }

  Result<Tally> run() {
    const TimePoint begin = SystemClock().now();
    const TimePoint end = begin + options_.time;
    NUR_TRY(open_pipe());
    for (unsigned desk = 0; desk < options_.jobs; ++desk) NUR_TRY(start(desk));
    TimePoint progress = begin + kProgressTime;
    while (!workers_.empty()) {
      NUR_TRY(collect());
      const TimePoint now = SystemClock().now();
      if (now >= end) board_.over = true;
      NUR_TRY(look_after_workers(now >= end + kGraceTime));
      tally_.seconds = std::chrono::duration<double>(now - begin).count();
      if (now >= progress && !board_.over) {
        fmt::print(stderr, "{}\n", tally_.summary());
        progress = now + kProgressTime;
      }
    }
    NUR_TRY(collect());
    if (!trouble_.empty()) return fail(ErrorKind::internal, "{}", trouble_);
    return tally_;
  }

 private:
  struct Worker {
    unsigned desk = 0;
    ScratchDir folder;
  };

  Result<void> open_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
      return fail(ErrorKind::exhausted, "{}", system_error_text("creating a pipe"));
    }
    output_ = Fd(ends[0]);
    input_ = Fd(ends[1]);
    // Workers wait until there is room.
    ::fcntl(input_.get(), F_SETFL, 0);
    return {};
  }

  Result<void> start(unsigned desk) {
    ScratchDir folder = NUR_TRY(ScratchDir::create("nur-fuzz-"));
    const pid_t child = ::fork();
    if (child < 0) return fail(ErrorKind::exhausted, "{}", system_error_text("starting a worker"));
    if (child == 0) {
      work(options_, toolchain_, interrupt_, board_, desk, input_.get(), folder.path());
    }
    workers_.emplace(child, Worker{desk, std::move(folder)});
    return {};
  }

  // What workers have said by now; waits a little if it is nothing.
  Result<void> collect() {
    pollfd watched{output_.get(), POLLIN, 0};
    if (::poll(&watched, 1, 200) <= 0) return {};
    char buffer[65536];
    const ssize_t count = ::read(output_.get(), buffer, sizeof buffer);
    if (count <= 0) return {};
    unread_.append(buffer, static_cast<std::size_t>(count));
    for (std::size_t end; (end = unread_.find('\n')) != std::string::npos;) {
      take(Json::parse(unread_.substr(0, end), nullptr, false));
      unread_.erase(0, end + 1);
    }
    return {};
  }

  void take(const Json& line) {
    if (!line.is_object()) return;
    if (line.contains("trouble")) {
      trouble_ = fmt::format("module {}: {}", line["number"].get<std::uint64_t>(),
                             line["trouble"].get<std::string>());
      board_.over = true;
      return;
    }
    const auto kind = static_cast<Verdict::Kind>(line["kind"].get<int>());
    const auto reason = line["reason"].get<std::string>();
    ++tally_.tried;
    ++tally_.kinds[kind];
    tally_.calls += line["calls"].get<std::uint64_t>();
    tally_.traps += line["traps"].get<std::uint64_t>();
    tally_.incomparable += line["incomparable"].get<std::uint64_t>();
    if (kind == Verdict::Kind::agreed) return;
    if (kind != Verdict::Kind::finding) {
      const bool by_reason = kind != Verdict::Kind::nan_dependent;
      ++tally_.reasons[fmt::format("{}{}{}", to_string(kind), by_reason ? ": " : "",
                                   by_reason ? reason : "")];
      return;
    }
    fmt::print(stderr, "fuzz: module {}: {}\n      {}\n", line["number"].get<std::uint64_t>(),
               printable(reason, 500), line["kept"].get<std::string>());
  }

  void lost(const Worker& worker, const std::string& how) {
    const std::uint64_t number = board_.desks[worker.desk].number;
    ++tally_.tried;
    ++tally_.kinds[Verdict::Kind::finding];
    fmt::print(stderr, "fuzz: module {}: its worker {}\n      again: --seed {} --module {}\n",
               number, how, options_.seed, number);
  }

  Result<void> look_after_workers(bool end_now) {
    for (auto at = workers_.begin(); at != workers_.end();) {
      const auto [child, worker] = std::pair(at->first, &at->second);
      const std::int64_t since = board_.desks[worker->desk].since_ms;
      const bool stuck =
          since != 0 && now_ms() - since > std::chrono::milliseconds(kModuleTime).count();
      if (stuck || end_now) ::kill(child, SIGKILL);
      int status = 0;
      if (::waitpid(child, &status, stuck || end_now ? 0 : WNOHANG) != child) {
        ++at;
        continue;
      }
      const bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
      if (stuck) lost(*worker, "stood still and was stopped");
      if (!well && !stuck && !end_now && !interrupt_.raised()) {
        lost(*worker, fmt::format("ended with status {:#x}", status));
      }
      const unsigned desk = worker->desk;
      board_.desks[desk].since_ms = 0;
      at = workers_.erase(at);
      if (!well && !board_.over && !interrupt_.raised()) NUR_TRY(start(desk));
    }
    return {};
  }

  const CampaignOptions& options_;
  const Toolchain& toolchain_;
  const Interrupt& interrupt_;
  Board& board_;
  Fd output_;
  Fd input_;
  std::map<pid_t, Worker> workers_;
  std::string unread_;
  std::string trouble_;
  Tally tally_;
};

}  // namespace

std::uint64_t Tally::count(Verdict::Kind kind) const {
  const auto found = kinds.find(kind);
  return found == kinds.end() ? 0 : found->second;
}

std::string Tally::summary() const {
  return fmt::format(
      "fuzz target=compiler seconds={:.0f} modules={} refused_by_v8={} refused_by_nurc={} "
      "mismatches={} calls={} traps={} incomparable={} nan_dependent={} not_made={}",
      seconds, tried, count(Verdict::Kind::refused_by_v8), count(Verdict::Kind::refused_by_nurc),
      count(Verdict::Kind::finding), calls, traps, incomparable,
      count(Verdict::Kind::nan_dependent), count(Verdict::Kind::not_made));
}

Result<Path> keep_finding(const Path& folder, std::string_view module, const Recipe& recipe,
                          const Verdict& verdict) {
  const Path own = folder / fmt::format("seed-{}-module-{}", recipe.seed, recipe.number);
  std::error_code error;
  std::filesystem::create_directories(own, error);
  if (error) return fail(ErrorKind::internal, "creating {}: {}", own.string(), error.message());
  const std::string again = fmt::format("./dev fuzz compiler --seed {} --module {} --repro {}",
                                        recipe.seed, recipe.number, (own / "module.wasm").string());
  NUR_TRY(write_file(own / "module.wasm", module));
  NUR_TRY(write_file(own / "nur.transcript", verdict.nur_transcript));
  NUR_TRY(write_file(own / "v8.transcript", verdict.v8_transcript));
  NUR_TRY(write_file(own / "report",
                     fmt::format("{}\n{}\n{}\n", verdict.reason, to_string(recipe), again)));
  return own;
}

Result<Tally> run_campaign(const CampaignOptions& options, const Toolchain& toolchain,
                           const Interrupt& interrupt) {
  if (options.jobs == 0 || options.jobs > kJobsMax) {
    return fail(ErrorKind::invalid_input, "{} jobs, 1 to {} are possible", options.jobs, kJobsMax);
  }
  void* const shared =
      ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return fail(ErrorKind::exhausted, "{}", system_error_text("mmap"));
  Board& board = *new (shared) Board{};
  Result<Tally> tally = Campaign(options, toolchain, interrupt, board).run();
  ::munmap(shared, sizeof(Board));
  return tally;
}

}  // namespace nur::fuzz
