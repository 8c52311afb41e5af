// What a fresh instance per request costs, in one process: enter a guest that writes to so many
// pages, come back, reset.
//
//   reset_bench ARTEFACT ROUNDS [CASE REQUESTS]
//
// The artefact is bench/modules/pages.wat. Every way of resetting runs in turn, round after round;
// each prints the median of its rounds in nanoseconds per request. With a case and a number of
// requests: only these, reset as learned, and nothing else that makes system calls in between; it
// writes a byte to descriptor 1 before the first and behind the last of them.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include "host/artefact/loaded_module.h"
#include "host/sandbox/instance.h"

namespace nur {
namespace {

// A request writes `count` pages, `step` pages apart.
struct Case {
  std::string name;
  std::uint32_t at;
  std::uint32_t step;
  std::uint32_t count;
};

const std::vector<Case> kCases = {
    {"pages4", 15 * kPageBytes, 1, 4},  // one of them of the image: three runs
    {"pages16", 3 * kPageBytes, 7, 16},
    {"pages256", 0, 3, 256},
};

template <class T>
T or_die(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "reset_bench: %s\n", result.error().message.c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

double now_ns() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

class Guest {
 public:
  Guest(const LoadedModule& module, const TrapGuard& guard, const SandboxLimits& limits)
      : module_(module),
        guard_(guard),
        instance_(or_die(Instance::create(module, limits))),
        entry_(module.manifest().find_function("run")->entry) {}

  void run(const Case& what) {
    values_[0].i64 = what.at;
    values_[1].i64 = what.step * kPageBytes;
    values_[2].i64 = what.count;
    instance_->call(module_.code().exports[entry_], values_);
    const TimePoint deadline = TimePoint::max() - std::chrono::hours(1);
    if (instance_->resume(guard_, deadline, deadline).kind != GuestStop::Kind::returned) {
      std::fprintf(stderr, "reset_bench: the guest was stopped\n");
      std::exit(1);
    }
  }
  void reset() { or_die(instance_->reset()); }
  [[nodiscard]] Instance& instance() { return *instance_; }

 private:
  const LoadedModule& module_;
  const TrapGuard& guard_;
  std::unique_ptr<Instance> instance_;
  std::uint32_t entry_;
  nur_value values_[3];
};

// Nanoseconds per request.
double time_of(Guest& guest, const Case& what, int requests) {
  for (int i = 0; i < 16; ++i) {
    guest.run(what);
    guest.reset();
  }
  const double begin = now_ns();
  for (int i = 0; i < requests; ++i) {
    guest.run(what);
    guest.reset();
  }
  return (now_ns() - begin) / requests;
}

// Entering and leaving alone, without any reset.
double time_of_entry(Guest& guest, const Case& what, int requests) {
  guest.run(what);
  const double begin = now_ns();
  for (int i = 0; i < requests; ++i) guest.run(what);
  const double time = (now_ns() - begin) / requests;
  guest.reset();
  return time;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void measure(const LoadedModule& module, const TrapGuard& guard, const PageScanner* scanner,
             int rounds) {
  struct Way {
    const char* name;
    ResetStrategy strategy;
    int requests;
  };
  const std::vector<Way> ways = {{"learned", ResetStrategy::learned, 20000},
                                 {"copy_all", ResetStrategy::copy_all, 300},
                                 {"scan", ResetStrategy::scan, 2000},
                                 {"discard", ResetStrategy::discard, 1000}};
  std::string line = "reset";
  for (const Case& what : kCases) {
    std::vector<double> entry;
    std::vector<std::vector<double>> times(ways.size());
    for (int round = 0; round < rounds; ++round) {
      for (std::size_t i = 0; i < ways.size(); ++i) {
        SandboxLimits limits;
        limits.scanner = scanner;
        limits.reset = ways[i].strategy;
        Guest guest(module, guard, limits);
        times[i].push_back(time_of(guest, what, ways[i].requests));
        if (i == 0) entry.push_back(time_of_entry(guest, what, 20000));
      }
    }
    line += fmt::format(" {}_ns={:.0f} {}_without_reset_ns={:.0f}", what.name, median(times[0]),
                        what.name, median(entry));
    for (std::size_t i = 1; i < ways.size(); ++i) {
      line += fmt::format(" {}_{}_ns={:.0f}", what.name, ways[i].name, median(times[i]));
    }
  }
  std::printf("%s\n", line.c_str());
}

int run(int argc, char** argv) {
  if (argc != 3 && argc != 5) {
    std::fprintf(stderr, "usage: reset_bench ARTEFACT ROUNDS [CASE REQUESTS]\n");
    return 2;
  }
  const auto module = or_die(LoadedModule::load(argv[1]));
  const TrapGuard guard = or_die(TrapGuard::install());
  const Result<PageScanner> scanner = PageScanner::open();
  if (argc == 3) {
    measure(*module, guard, scanner ? &*scanner : nullptr, std::atoi(argv[2]));
    return 0;
  }
  const auto what = std::ranges::find(kCases, argv[3], &Case::name);
  if (what == kCases.end()) {
    std::fprintf(stderr, "reset_bench: no case %s\n", argv[3]);
    return 2;
  }
  Guest guest(*module, guard, SandboxLimits{});
  for (int i = 0; i < 16; ++i) {
    guest.run(*what);
    guest.reset();
  }
  const int requests = std::atoi(argv[4]);
  if (::write(1, "<", 1) != 1) return 1;
  for (int i = 0; i < requests; ++i) {
    guest.run(*what);
    guest.reset();
  }
  return ::write(1, ">\n", 2) == 2 ? 0 : 1;
}

}  // namespace
}  // namespace nur

int main(int argc, char** argv) { return nur::run(argc, argv); }
