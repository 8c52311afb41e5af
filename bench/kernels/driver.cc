// Runs the builds of one kernel (kernel.h) in turn, in one process, and prints what each took.
//
//   kernel_driver KERNEL MEASUREMENTS ROUNDS LABEL=wasm:FILE LABEL=native:FILE ...
//
// An artefact is loaded and entered as nurhost does; a native build is loaded with dlopen. ROUNDS 0
// takes the kernel's own number. For each build, after one run that is not measured:
//
//   KERNEL LABEL median_ms min_ms checksum
//
// Times are of the thread's processor time: others on the machine change them least. Exit codes: 0
// done; 1 could not run; 2 wrong usage; 3 the builds' checksums differ.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <dlfcn.h>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "host/artefact/loaded_module.h"
#include "host/sandbox/guest_run.h"
#include "host/sandbox/instance.h"

namespace nur {
namespace {

constexpr std::chrono::minutes kDeadline(10);

// Calls one export and keeps its result.
class ExportCall final : public Invocation {
 public:
  ExportCall(std::uint32_t entry, std::uint64_t argument) : entry_(entry) { value_.i64 = argument; }

  std::expected<std::optional<Call>, nur_trap> next_call(const GuestMemory&) override {
    if (called_) return std::nullopt;
    called_ = true;
    return Call{entry_, {&value_, 1}};
  }
  void* context(std::uint32_t) override { return nullptr; }
  [[nodiscard]] std::uint64_t result() const { return value_.i64; }

 private:
  std::uint32_t entry_;
  nur_value value_{};
  bool called_ = false;
};

// One build of the kernel, set up and ready to run.
struct Build {
  std::string label;
  std::uint32_t rounds = 0;  // the kernel's own number
  std::function<Result<std::uint64_t>(std::uint32_t rounds)> run;
  std::vector<double> milliseconds;
  std::uint64_t checksum = 0;
  std::function<Result<void>()> write_profile;  // of what counts
};

// An artefact and the one instance that it runs in.
class WasmKernel {
 public:
  static Result<std::shared_ptr<WasmKernel>> load(const Path& file, const TrapGuard& guard) {
    std::shared_ptr<WasmKernel> kernel(new WasmKernel(guard));
    kernel->module_ = NUR_TRY(LoadedModule::load(file));
    kernel->instance_ = NUR_TRY(Instance::create(*kernel->module_, {}));
    return kernel;
  }

  [[nodiscard]] Result<std::string> profile() const { return module_->profile(); }

  Result<std::uint64_t> call(std::string_view name, std::uint64_t argument) {
    const ManifestExport* const exported = module_->manifest().find_function(name);
    if (exported == nullptr) return fail(ErrorKind::not_found, "no export {}", name);
    ExportCall call(exported->entry, argument);
    const SystemClock clock;
    const TimePoint now = clock.now();
    GuestRun run(*instance_, guard_, clock, {}, call, RunLimits{.deadline = now + kDeadline});
    const std::optional<Outcome> outcome = run.advance(now);
    if (!outcome || outcome->kind != Outcome::Kind::returned) {
      return fail(ErrorKind::internal, "{} did not return", name);
    }
    return call.result();
  }

 private:
  explicit WasmKernel(const TrapGuard& guard) : guard_(guard) {}

  const TrapGuard& guard_;
  std::unique_ptr<LoadedModule> module_;
  std::unique_ptr<Instance> instance_;
};

// What counts writes FILE.profile at the end.
Result<Build> load_wasm(const std::string& file, const TrapGuard& guard, bool counts) {
  const std::shared_ptr<WasmKernel> kernel = NUR_TRY(WasmKernel::load(file, guard));
  NUR_TRY(kernel->call("kernel_setup", 0));
  Build build;
  build.rounds = static_cast<std::uint32_t>(NUR_TRY(kernel->call("kernel_rounds", 0)));
  build.run = [kernel](std::uint32_t rounds) { return kernel->call("kernel_run", rounds); };
  if (counts) {
    build.write_profile = [kernel, file]() -> Result<void> {
      const std::string profile = NUR_TRY(kernel->profile());
      return write_file(file + ".profile", profile);
    };
  }
  return build;
}

template <class Function>
Result<Function*> symbol(void* object, const char* name) {
  void* const found = ::dlsym(object, name);
  if (found == nullptr) return fail(ErrorKind::not_found, "no symbol {}", name);
  return reinterpret_cast<Function*>(found);
}

// The object stays loaded until the process ends.
Result<Build> load_native(const std::string& file) {
  void* const object = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (object == nullptr) return fail(ErrorKind::invalid_input, "{}", ::dlerror());
  auto* const setup = NUR_TRY(symbol<void()>(object, "kernel_setup"));
  auto* const rounds = NUR_TRY(symbol<std::uint32_t()>(object, "kernel_rounds"));
  auto* const run = NUR_TRY(symbol<std::uint64_t(std::uint32_t)>(object, "kernel_run"));
  setup();
  Build build;
  build.rounds = rounds();
  build.run = [run](std::uint32_t count) -> Result<std::uint64_t> { return run(count); };
  return build;
}

// "LABEL=wasm:FILE", "LABEL=native:FILE", or "LABEL=count:FILE" for an artefact that counts.
Result<Build> load(const std::string& argument, const TrapGuard& guard) {
  const std::size_t equals = argument.find('=');
  const std::size_t colon = argument.find(':', equals == std::string::npos ? 0 : equals);
  if (equals == std::string::npos || colon == std::string::npos) {
    return fail(ErrorKind::invalid_input, "not LABEL=KIND:FILE");
  }
  const std::string kind = argument.substr(equals + 1, colon - equals - 1);
  const std::string file = argument.substr(colon + 1);
  if (kind != "wasm" && kind != "native" && kind != "count") {
    return fail(ErrorKind::invalid_input, "{} is neither wasm, native nor count", kind);
  }
  Build build =
      NUR_TRY(kind == "native" ? load_native(file) : load_wasm(file, guard, kind == "count"));
  build.label = argument.substr(0, equals);
  return build;
}

double thread_milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

Result<void> measure(std::vector<Build>& builds, std::uint32_t measurements, std::uint32_t rounds) {
  for (Build& build : builds) build.checksum = NUR_TRY(build.run(rounds));
  for (std::uint32_t i = 0; i < measurements; ++i) {
    for (Build& build : builds) {
      const double begin = thread_milliseconds();
      const std::uint64_t checksum = NUR_TRY(build.run(rounds));
      build.milliseconds.push_back(thread_milliseconds() - begin);
      if (checksum != build.checksum) {
        return fail(ErrorKind::internal, "{}: another checksum than the first time", build.label);
      }
    }
  }
  return {};
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

void print(const std::string& kernel, const Build& build) {
  const double least =
      build.milliseconds.empty() ? 0 : *std::ranges::min_element(build.milliseconds);
  std::printf("%s %s %.3f %.3f %016llx\n", kernel.c_str(), build.label.c_str(),
              median(build.milliseconds), least, static_cast<unsigned long long>(build.checksum));
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

int complain(std::string_view what, const Error& error) {
  fmt::print(stderr, "kernel_driver: {}: {}\n", what, error.message);
  return 1;
}

int run(const std::vector<std::string>& arguments) {
  const auto measurements = arguments.size() < 4 ? std::nullopt : number(arguments[1]);
  const auto rounds = arguments.size() < 4 ? std::nullopt : number(arguments[2]);
  if (!measurements || !rounds) {
    fmt::print(stderr,
               "usage: kernel_driver KERNEL MEASUREMENTS ROUNDS "
               "LABEL=wasm:FILE|native:FILE|count:FILE...\n");
    return 2;
  }
  const std::string& kernel = arguments[0];
  const Result<TrapGuard> guard = TrapGuard::install();
  if (!guard) return complain(kernel, guard.error());

  std::vector<Build> builds;
  for (std::size_t i = 3; i < arguments.size(); ++i) {
    Result<Build> build = load(arguments[i], *guard);
    if (!build) return complain(arguments[i], build.error());
    builds.push_back(*std::move(build));
  }
  const Result<void> measured =
      measure(builds, *measurements, *rounds == 0 ? builds.front().rounds : *rounds);
  if (!measured) return complain(kernel, measured.error());

  bool equal = true;
  for (const Build& build : builds) {
    print(kernel, build);
    if (build.write_profile) {
      if (const auto written = build.write_profile(); !written) {
        return complain(build.label, written.error());
      }
    }
    equal = equal && build.checksum == builds.front().checksum;
  }
  if (!equal) fmt::print(stderr, "kernel_driver: {}: the checksums differ\n", kernel);
  return equal ? 0 : 3;
}

}  // namespace
}  // namespace nur

int main(int argc, char** argv) {
  return nur::run(std::vector<std::string>(argv + 1, argv + argc));
}
