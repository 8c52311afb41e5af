// Many modules, several at a time, until time or their number is up.
//
// Each worker is a process with a node of its own and takes the next number from a counter that all
// share, so which modules are tried does not depend on the workers, only how many. A worker that
// dies or stands still costs its module and is replaced.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/fuzz/compiler/trial.h"

namespace nur::fuzz {

struct CampaignOptions {
  std::uint64_t seed = 1;
  std::uint64_t first = 0;        // number of the first module
  std::uint64_t modules_max = 0;  // 0: no end but time
  std::chrono::seconds time{60};
  unsigned jobs = 1;
  std::vector<Path> corpus;  // modules to change, besides those that are made; may be empty
  Path findings;             // folder, made when there is the first one
  Path wasm_opt;
  V8Process::Options v8;
};

struct Tally {
  std::uint64_t tried = 0;
  std::map<Verdict::Kind, std::uint64_t> kinds;
  std::map<std::string, std::uint64_t> reasons;  // of refusals and modules not made, with the kind
  std::uint64_t calls = 0;
  std::uint64_t traps = 0;
  std::uint64_t incomparable = 0;
  double seconds = 0;

  [[nodiscard]] std::uint64_t count(Verdict::Kind kind) const;
  // "fuzz target=compiler seconds=...".
  [[nodiscard]] std::string summary() const;
};

// Says each finding on standard error as it comes. Errors: exhausted; internal; interrupted ends it
// early without one.
Result<Tally> run_campaign(const CampaignOptions& options, const Toolchain& toolchain,
                           const Interrupt& interrupt);

// Puts a finding into a folder of its own below `folder`: the module, what both engines did, and
// the command that shows it again. The folder's path.
Result<Path> keep_finding(const Path& folder, std::string_view module, const Recipe& recipe,
                          const Verdict& verdict);

}  // namespace nur::fuzz
