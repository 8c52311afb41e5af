#include "tests/fuzz/compiler/native_run.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/artefact_file.h"
#include "host/artefact/loaded_module.h"
#include "host/sandbox/instance.h"
#include "host/sandbox/outcome.h"
#include "tests/fuzz/compiler/instrument.h"

namespace nur::fuzz {
namespace {

// A call has a counter that ends it after microseconds; modules from elsewhere may have none.
constexpr std::chrono::seconds kCallTime{5};
constexpr std::chrono::seconds kProcessTime{60};
// Deep recursions are rarely comparable, so there is room for most of them.
constexpr std::size_t kStackBytes = std::size_t{64} << 20;
constexpr std::uint64_t kMemoryBytesMax = std::uint64_t{4} << 30;
// As in v8_side.mjs.
constexpr std::uint64_t kHashedBytesMax = std::uint64_t{64} << 20;
constexpr std::size_t kTranscriptBytesMax = std::size_t{64} << 20;

class NativeRun {
 public:
  NativeRun(const LoadedModule& module, const CallPlan& plan, Instance& instance,
            const TrapGuard& guard, const Fd& output)
      : module_(module), plan_(plan), instance_(instance), guard_(guard), output_(output) {
    for (const PlannedExport& exported : plan.exports) entries_.push_back(entry(exported.name));
    for (std::size_t i = 0; i < plan.globals.size(); ++i) {
      getters_.push_back(entry(global_name(i)));
    }
    planted_ = std::getenv(kPlantedDefectVariable) != nullptr;
  }

  Result<void> run() {
    for (const auto& group : plan_.groups) {
      say("group");
      fresh_ = false;
      for (const PlannedCall& call : group) {
        if (!fresh_ && !NUR_TRY(begin())) break;
        run(call);
        if (out_of_time_) break;
      }
      if (out_of_time_) break;
    }
    flush();
    return {};
  }

 private:
  [[nodiscard]] nur_export_call entry(std::string_view name) const {
    return module_.code().exports[module_.manifest().find_function(name)->entry];
  }

  // A fresh instance; whether its start function returned.
  Result<bool> begin() {
    NUR_TRY(instance_.reset());
    fresh_ = true;
    if (module_.code().start == nullptr) return true;
    say("start");
    nur_value none{};
    if (!enter(module_.code().start, &none)) return false;
    say("return");
    say_state();
    return true;
  }

  void run(const PlannedCall& call) {
    const PlannedExport& callee = plan_.exports[call.exported];
    std::string line = fmt::format("call {}", call.exported);
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
      line += " " + to_word(callee.type.parameters[i], call.arguments[i]);
    }
    say(line);
    flush();  // what was called last is seen even if it ends this process
    if (plan_.hang_limiter) {
      nur_value none{};
      if (!enter(entries_[*plan_.hang_limiter], &none)) return;
    }
    std::vector<nur_value> values = call.arguments;
    values.resize(std::max({values.size(), callee.type.results.size(), std::size_t{1}}));
    if (!enter(entries_[call.exported], values.data())) return;
    if (planted_) values[0].i32 ^= 1;
    line = "return";
    for (std::size_t i = 0; i < callee.type.results.size(); ++i) {
      line += " " + to_word(callee.type.results[i], values[i]);
    }
    say(line);
    say_state();
  }

  // Whether it returned; says so when it did not.
  bool enter(nur_export_call function, nur_value* values) {
    const TimePoint deadline = SystemClock().now() + kCallTime;
    instance_.call(function, values);
    while (true) {
      const GuestStop& stop = instance_.resume(guard_, deadline);
      if (stop.kind == GuestStop::Kind::returned) return true;
      if (stop.kind == GuestStop::Kind::trapped) {
        say(fmt::format("trap {}", to_string(stop.trap)));
        fresh_ = false;
        return false;
      }
      if (stop.kind == GuestStop::Kind::host_call) serve(stop);
      if (stop.kind == GuestStop::Kind::expired || instance_.interrupted()) {
        say("timeout");
        fresh_ = false;
        out_of_time_ = true;  // nobody compares what comes after
        return false;
      }
    }
  }

  void serve(const GuestStop& stop) {
    if (stop.call == NUR_CALL_INTERRUPTED) return;
    if (stop.call == NUR_CALL_GROW_MEMORY) {
      const std::optional<std::uint32_t> old_pages = instance_.grow_memory(stop.values[0].i32);
      stop.values[0].i64 = old_pages.value_or(UINT32_MAX);
      stop.values[1].i64 = instance_.memory().size();
      return;
    }
    const FunctionType& type = plan_.imports.at(stop.call).type;
    std::string line = fmt::format("log {}", stop.call);
    for (std::size_t i = 0; i < type.parameters.size(); ++i) {
      line += " " + to_word(type.parameters[i], stop.values[i]);
    }
    say(line);
    for (std::size_t i = 0; i < type.results.size(); ++i) stop.values[i] = nur_value{};
  }

  void say_state() {
    std::string line = "state 0 -";
    if (plan_.has_memory) {
      const GuestMemory memory = instance_.memory();
      const auto hashed = memory.text(0, std::min(memory.size(), kHashedBytesMax));
      line = fmt::format("state {} {}", memory.size() / NUR_WASM_PAGE_BYTES,
                         to_hex(sha256(hashed.value_or(""))));
    }
    for (std::size_t i = 0; i < getters_.size(); ++i) line += " " + global_word(i);
    say(line);
  }

  // Getters return lowered bits: a vector's are two results.
  std::string global_word(std::size_t global) {
    const ValueType type = plan_.globals[global];
    nur_value values[2]{};
    const TimePoint deadline = SystemClock().now() + kCallTime;
    instance_.call(getters_[global], values);
    if (instance_.resume(guard_, deadline).kind != GuestStop::Kind::returned) return "unreadable";
    if (type == ValueType::funcref || type == ValueType::externref) {
      return fmt::format("r{}", values[0].i32);
    }
    if (type == ValueType::v128) {
      return fmt::format("{}{:016x}{:016x}", letter_of(type), values[1].i64, values[0].i64);
    }
    return to_word(type, values[0]);
  }

  void say(std::string_view line) {
    text_ += line;
    text_ += '\n';
    if (text_.size() > (64 << 10)) flush();
  }
  void flush() {
    std::string_view rest = text_;
    while (!rest.empty()) {
      const ssize_t count = ::write(output_.get(), rest.data(), rest.size());
      if (count <= 0) ::_exit(3);
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
    text_.clear();
  }

  const LoadedModule& module_;
  const CallPlan& plan_;
  Instance& instance_;
  const TrapGuard& guard_;
  const Fd& output_;
  std::vector<nur_export_call> entries_;
  std::vector<nur_export_call> getters_;
  std::string text_;
  bool fresh_ = false;
  bool out_of_time_ = false;
  bool planted_ = false;
};

Result<void> run_here(const Path& artefact, const CallPlan& plan, const Fd& output) {
  const TrapGuard guard = NUR_TRY(TrapGuard::install());
  const std::unique_ptr<LoadedModule> module = NUR_TRY(LoadedModule::load(artefact));
  SandboxLimits limits;
  limits.memory_bytes_max = kMemoryBytesMax;
  limits.stack_bytes = kStackBytes;
  const std::unique_ptr<Instance> instance = NUR_TRY(Instance::create(*module, limits));
  return NativeRun(*module, plan, *instance, guard, output).run();
}

[[noreturn]] void run_and_exit(const Path& artefact, const CallPlan& plan, const Path& folder,
                               const Fd& output) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const Result<void> done = run_here(artefact, plan, output);
  if (!done) static_cast<void>(write_file(folder / "native.error", done.error().message));
  // No destructors: what they would undo is the parent's.
  ::_exit(done ? 0 : 1);
}

// Its status, or nullopt when it had to be stopped.
std::optional<int> wait_for(pid_t child) {
  const Fd ended(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  pollfd watched{ended.get(), POLLIN, 0};
  const TimePoint end = SystemClock().now() + kProcessTime;
  bool in_time = false;
  while (!in_time) {
    const auto left = std::chrono::duration_cast<Milliseconds>(end - SystemClock().now()).count();
    if (left <= 0) break;
    in_time = ::poll(&watched, 1, static_cast<int>(left)) == 1;
  }
  if (!in_time) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return in_time ? std::optional(status) : std::nullopt;
}

}  // namespace

Result<std::string> run_native(const Path& artefact, const CallPlan& plan, const Path& folder) {
  const Path transcript = folder / "native.transcript";
  std::error_code ignored;
  std::filesystem::remove(folder / "native.error", ignored);
  const Fd output(::open(transcript.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!output.is_open()) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("creating " + transcript.string()));
  }
  const pid_t child = ::fork();
  if (child < 0) return fail(ErrorKind::exhausted, "{}", system_error_text("starting a process"));
  if (child == 0) run_and_exit(artefact, plan, folder, output);

  const std::optional<int> status = wait_for(child);
  std::string text = NUR_TRY(read_file(transcript, kTranscriptBytesMax));
  if (!status) return text + "lost still running after a minute\n";
  if (WIFSIGNALED(*status))
    return text + fmt::format("lost died of signal {}\n", WTERMSIG(*status));
  if (WEXITSTATUS(*status) == 0) return text;
  const Result<std::string> error = read_file(folder / "native.error", 65536);
  return fail(ErrorKind::internal, "the host: {}", error ? *error : "wrote no transcript");
}

}  // namespace nur::fuzz
