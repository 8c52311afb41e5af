// nurhost run: the same loading, sandbox and guest ABIs as serving, for one call from a shell.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "host/serve/function_settings.h"

namespace nur {

struct RunOptions {
  Path artefact;
  std::optional<std::string> invoke;     // export to call instead of the ABI's own entry
  std::vector<std::string> environment;  // "NAME=value"
  std::vector<DirectoryGrant> directories;
  std::vector<std::string> arguments;
  std::vector<std::string> outbound;  // where a handle function may connect to
  FunctionLimits limits;
  std::optional<Path> profile;  // written at the end, whatever ends the run
};

// Exit statuses of our own, beside those of the guest.
inline constexpr int kExitFailure = 1;
inline constexpr int kExitTimeout = 124;
inline constexpr int kExitTrap =
    134;  // as a shell reports SIGABRT, which is what a trap is nearest to

// Runs the function with this process's standard streams:
//   wasi    a command: arguments, environment, directories; returns its exit status
//   typed   arguments are numbers; results are printed, one a line
//   handle  environment is the table of values; the answer is printed as HTTP has it. It has a
//           key-value store of its own, in memory
//   nur     standard input is the stream, standard output what it sends
// With a profile, SIGTERM and SIGINT end the process when it is written.
// Returns the exit status for the shell; says on standard error why a guest was stopped.
// Errors: those of Function::load; invalid_input for arguments that do not fit.
Result<int> run_once(const RunOptions& options);

}  // namespace nur
