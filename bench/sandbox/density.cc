// How much memory instances and functions take, in one process.
//
//   density_bench instances ARTEFACT COUNT   warm instances of one function: each has served a
//   request density_bench functions ARTEFACT COUNT   the function loaded so many times
//
// Prints what the kernel says before and behind: resident and private memory, page tables,
// mappings.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "host/abi/stream/nur_stream.h"
#include "host/artefact/loaded_module.h"
#include "host/sandbox/guest_run.h"
#include "host/sandbox/instance_pool.h"
#include "host/sandbox/machine_limits.h"

namespace nur {
namespace {

template <class T>
T or_die(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "density_bench: %s\n", result.error().message.c_str());
    std::exit(1);
  }
  return *std::move(result);
}

// Kilobytes behind `label` in a file of /proc.
long kilobytes(const char* file, std::string_view label) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with(label)) return std::atol(line.c_str() + label.size());
  }
  return 0;
}

long count_mappings() {
  std::ifstream stream("/proc/self/maps");
  long count = 0;
  for (std::string line; std::getline(stream, line);) ++count;
  return count;
}

struct Usage {
  long rss = kilobytes("/proc/self/status", "VmRSS:");
  long anonymous = kilobytes("/proc/self/status", "RssAnon:");
  long page_tables = kilobytes("/proc/self/status", "VmPTE:");
  long mappings = count_mappings();
};

void print(const char* what, int count, const Usage& before, const Usage& behind) {
  std::printf(
      "density %s=%d rss_mib=%.1f rss_all_mib=%.1f anonymous_mib=%.1f page_tables_mib=%.1f "
      "mappings=%ld each_rss_kib=%.1f each_page_tables_kib=%.1f each_mappings=%.2f\n",
      what, count, static_cast<double>(behind.rss - before.rss) / 1024,
      static_cast<double>(behind.rss) / 1024,
      static_cast<double>(behind.anonymous - before.anonymous) / 1024,
      static_cast<double>(behind.page_tables - before.page_tables) / 1024,
      behind.mappings - before.mappings, static_cast<double>(behind.rss - before.rss) / count,
      static_cast<double>(behind.page_tables - before.page_tables) / count,
      static_cast<double>(behind.mappings - before.mappings) / count);
}

// One request of a function of the nur ABI.
void serve(Instance& instance, const TrapGuard& guard, const std::vector<HostFunction>& functions) {
  const SystemClock clock;
  NurStream stream(or_die(StreamEntries::find(instance.module().manifest())),
                   "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", 1 << 20,
                   [](std::string_view) {});
  GuestRun run(instance, guard, clock, functions, stream,
               RunLimits{.deadline = clock.now() + std::chrono::seconds(10)});
  const auto outcome = run.advance(clock.now());
  if (!outcome || outcome->kind != Outcome::Kind::returned || stream.take_output().empty()) {
    std::fprintf(stderr, "density_bench: the guest gave no answer\n");
    std::exit(1);
  }
}

void measure_instances(const char* artefact, int count) {
  const TrapGuard guard = or_die(TrapGuard::install());
  const auto module = or_die(LoadedModule::load(Path(artefact)));
  std::vector<HostFunction> functions;
  for (const ManifestImport& import : module->manifest().imports) {
    functions.push_back(find_stream_function(import.name));
  }
  SlotBudget budget(slot_limits(read_machine_limits(), 1));
  SandboxLimits sandbox;
  sandbox.budget = &budget;
  const auto many = static_cast<std::size_t>(count);
  InstancePool pool(*module, sandbox, PoolLimits{.leased_max = many, .idle_max = many});
  const Usage before;
  {
    std::vector<Lease> leases;
    for (int i = 0; i < count; ++i) {
      leases.push_back(or_die(pool.acquire()));
      serve(leases.back().instance(), guard, functions);
      // What the first ones have learned is known to the others.
      if (i < 4) leases.clear();
    }
  }
  if (pool.idle() + 4 < many) {
    std::fprintf(stderr, "density_bench: %zu of %d are warm\n", pool.idle(), count);
    std::exit(1);
  }
  print("instances", count, before, Usage());
}

void measure_functions(const char* artefact, int count) {
  std::vector<std::unique_ptr<LoadedModule>> modules;
  modules.push_back(or_die(LoadedModule::load(Path(artefact))));
  const Usage before;
  for (int i = 0; i < count; ++i) modules.push_back(or_die(LoadedModule::load(Path(artefact))));
  print("functions", count, before, Usage());
}

}  // namespace
}  // namespace nur

int main(int argc, char** argv) {
  const std::string_view what = argc == 4 ? argv[1] : "";
  if (what == "instances") {
    nur::measure_instances(argv[2], std::atoi(argv[3]));
  } else if (what == "functions") {
    nur::measure_functions(argv[2], std::atoi(argv[3]));
  } else {
    std::fprintf(stderr, "usage: density_bench instances|functions ARTEFACT COUNT\n");
    return 2;
  }
  return 0;
}
