#include "tests/support/guest.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>

#include "compiler/compile.h"

namespace nur::test {
namespace {

template <class T>
T or_die(Result<T> result, std::string_view what) {
  if (!result) {
    std::fprintf(stderr, "%s: %s\n", std::string(what).c_str(), result.error().message.c_str());
    std::abort();
  }
  return *std::move(result);
}

struct Compiler {
  ScratchDir folder = or_die(ScratchDir::create("nur-test-"), "scratch folder");
  Interrupt interrupt = or_die(Interrupt::listen(), "signals");
  Toolchain toolchain = or_die(find_toolchain({}, interrupt), "toolchain");
  std::map<std::string, Path, std::less<>> made;
};

Compiler& compiler() {
  static Compiler only;
  return only;
}

}  // namespace

Path artefact_of(std::string_view wat, const BuildOptions& build) {
  Compiler& nurc = compiler();
  const std::string key = compiler_flags(build, nurc.toolchain.family) +
                          (build.strip ? " --strip " : " ") + std::string(wat);
  if (const auto found = nurc.made.find(key); found != nurc.made.end()) return found->second;

  const std::string stem = "module" + std::to_string(nurc.made.size());
  CompileOptions options;
  options.input = nurc.folder.path() / (stem + ".wat");
  options.output = nurc.folder.path() / (stem + ".so");
  options.nurc_version = "test";
  options.build = build;
  if (!write_file(options.input, wat)) std::abort();
  or_die(compile(options, nurc.toolchain, nurc.interrupt), "compiling a test module");
  nurc.made.emplace(key, options.output);
  return options.output;
}

std::unique_ptr<LoadedModule> load_wat(std::string_view wat, const BuildOptions& build) {
  return or_die(LoadedModule::load(artefact_of(wat, build)), "loading a test module");
}

const TrapGuard& trap_guard() {
  static const TrapGuard only = or_die(TrapGuard::install(), "trap guard");
  return only;
}

OneCall::OneCall(const Manifest& manifest, std::string_view name,
                 std::vector<std::uint64_t> arguments, void* context)
    : context_(context) {
  const ManifestExport* const exported = manifest.find_function(name);
  if (exported == nullptr) {
    std::fprintf(stderr, "no export %s\n", std::string(name).c_str());
    std::abort();
  }
  entry_ = exported->entry;
  values_.resize(std::max({arguments.size(), exported->type.results.size(), std::size_t{1}}));
  for (std::size_t i = 0; i < arguments.size(); ++i) values_[i].i64 = arguments[i];
}

std::expected<std::optional<Invocation::Call>, nur_trap> OneCall::next_call(const GuestMemory&) {
  if (called_) return std::nullopt;
  called_ = true;
  return Call{entry_, values_};
}

Outcome run_guest(Instance& instance, Invocation& invocation,
                  std::span<const HostFunction> functions, Milliseconds timeout,
                  Nanoseconds quantum, std::size_t* switched_out) {
  const SystemClock clock;
  GuestRun run(instance, trap_guard(), clock, functions, invocation,
               RunLimits{.deadline = clock.now() + timeout, .quantum = quantum});
  while (true) {
    if (const std::optional<Outcome> outcome = run.advance(clock.now())) return *outcome;
    if (switched_out != nullptr && run.switched_out()) ++*switched_out;
    std::this_thread::sleep_until(run.wake());
  }
}

}  // namespace nur::test
