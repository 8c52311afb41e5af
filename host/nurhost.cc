// nurhost: see options.cc for what it takes. Turns errors into exit codes; all work is elsewhere.
#include "host/nurhost.h"

#include "base/log.h"
#include "host/options.h"
#include "host/prepare.h"
#include "host/process/master.h"

namespace nur {
namespace {

int complain(const Error& error) {
  fmt::print(stderr, "nurhost: {}\n", error.message);
  return 1;
}

int run(ServeCommand command, std::span<const HostModule> offered) {
  start_logging(command.log_level);
  command.options.host_modules = offered;
  Preparer preparer(std::move(command));
  const Result<ServeOptions> prepared = preparer.prepare();
  if (!prepared) return complain(prepared.error());
  const Result<void> served = serve(*prepared, preparer);
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
