// nurhost: see options.cc for what it takes. Turns errors into exit codes; all work is elsewhere.
#include "host/nurhost.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "host/config/configuration.h"
#include "host/options.h"
#include "host/process/master.h"

namespace nur {
namespace {

int complain(const Error& error) {
  fmt::print(stderr, "nurhost: {}\n", error.message);
  return 1;
}

// Adds what the files of settings say to what the command line does.
Result<void> configure(ServeOptions& options, const GivenSettings& given) {
  Configuration read = NUR_TRY(read_configuration(options.paths, options.defaults, given));
  options.paths = std::move(read.paths);
  options.functions = std::move(read.functions);
  options.nebula = std::move(read.nebula);
  // The front takes as much as the most generous function.
  for (const auto& [name, settings] : options.functions) {
    std::size_t& most = options.server.limits.body_bytes_max;
    most = std::max(most, settings.limits.body_bytes_max);
  }
  return {};
}

int run(ServeCommand command, std::span<const HostModule> offered) {
  start_logging(command.log_level);
  command.options.host_modules = offered;
  const Result<void> configured = configure(command.options, command.given);
  if (!configured) return complain(configured.error());
  const Result<void> served = serve(command.options);
  return served ? 0 : complain(served.error());
}

int run(const RunCommand& command, std::span<const HostModule>) {
  start_logging(LogLevel::warning);
  const Result<int> status = run_once(command.options);
  return status ? *status : complain(status.error());
}

int run(const PrintAndExit& command, std::span<const HostModule>) { return print(command); }

}  // namespace

int nurhost(int argc, const char* const* argv, std::span<const HostModule> offered) {
  const NurhostCommand command = parse_nurhost_options(argc, argv);
  return std::visit([&](const auto& chosen) { return run(chosen, offered); }, command);
}

}  // namespace nur
