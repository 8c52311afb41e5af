#include "tests/spec/proposals.h"

#include <algorithm>
#include <array>
#include <utility>

#include "compiler/wasm/features.h"
#include "compiler/wasm/limits.h"

namespace nur::spec {
namespace {

constexpr std::array<std::pair<std::string_view, Feature>, 5> kProposals{{
    {"memory64", Feature::memory64},
    {"exception-handling", Feature::exceptions},
    {"multi-memory", Feature::multi_memory},
    {"tail-call", Feature::tail_calls},
    {"threads", Feature::threads},
}};

bool names_the_feature(std::string_view proposal, std::string_view message) {
  return std::ranges::any_of(kProposals, [&](const auto& known) {
    const auto& [folder, feature] = known;
    return folder == proposal &&
           message.find(fmt::format("uses {}", to_string(feature))) != std::string_view::npos;
  });
}

// Modules that trap when instantiated are refused for that, whatever they use.
bool has_valid_module(Command::Kind kind) {
  return kind == Command::Kind::module || kind == Command::Kind::assert_unlinkable;
}

}  // namespace

Report check_refusals(const std::vector<Command>& commands, const std::string& proposal,
                      const std::string& label, const Workshop& workshop) {
  Report report;
  for (const Command& command : commands) {
    if (!has_valid_module(command.kind)) continue;
    ++report.assertions;
    const Result<std::string> bytes = read_file(command.file, ModuleLimits{}.module_bytes);
    const Result<void> taken =
        bytes ? validate(*bytes, workshop) : Result<void>(std::unexpected(bytes.error()));
    if (taken) {
      ++report.passed;
    } else if (names_the_feature(proposal, taken.error().message)) {
      ++report.passed;
      ++report.refused;
    } else {
      report.failures.push_back(fmt::format("{}:{}: refused without naming {}: {}", label,
                                            command.line, proposal, taken.error().message));
    }
  }
  return report;
}

}  // namespace nur::spec
