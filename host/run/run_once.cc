#include "host/run/run_once.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <thread>
#include <unistd.h>

#include "base/log.h"
#include "base/units.h"
#include "host/abi/handle/answer.h"
#include "host/abi/stream/nur_stream.h"
#include "host/abi/typed/typed_call.h"
#include "host/outbound/own_addresses.h"
#include "host/run/profile_at_end.h"
#include "host/run/run_outside.h"
#include "host/sandbox/low_addresses.h"
#include "host/serve/handle_task.h"
#include "host/serve/wasi_task.h"

namespace nur {
namespace {

Result<std::string> read_standard_input(std::size_t bytes_max) {
  std::string bytes;
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count == 0) return bytes;
    if (count < 0) {
      if (errno == EINTR) continue;
      return fail(ErrorKind::internal, "{}", system_error_text("reading standard input"));
    }
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
    if (bytes.size() > bytes_max) {
      return fail(ErrorKind::limit_exceeded, "standard input is larger than {}",
                  format_size(bytes_max));
    }
  }
}

// What every kind of run shares: the loaded function, a leased instance, signals.
struct Stage {
  const Function& function;
  Instance& instance;
  const TrapGuard& guard;
};

// Runs to the end, sleeping where the guest does, and waiting for `outside` where it does that.
// Returns the exit status; a stopped guest's reason goes to standard error.
int run_to_end(const Stage& stage, Invocation& invocation, RunOutside* outside = nullptr) {
  const SystemClock clock;
  const TimeLimits& time = stage.function.limits().time;
  GuestRun run(stage.instance, stage.guard, clock, stage.function.host_functions(), invocation,
               RunLimits{.deadline = clock.now() + time.timeout, .cpu_time = time.cpu_time});
  std::optional<Outcome> outcome;
  while (!(outcome = run.advance(clock.now()))) {
    if (outside != nullptr) {
      outside->wait(run.wake());
    } else {
      std::this_thread::sleep_until(run.wake());
    }
  }

  switch (outcome->kind) {
    case Outcome::Kind::returned:
      return 0;
    case Outcome::Kind::exited:
      return static_cast<int>(outcome->exit_status & 0xff);
    case Outcome::Kind::trapped:
    case Outcome::Kind::expired:
    case Outcome::Kind::overspent:
      break;
  }
  fmt::print(stderr, "nurhost: {}\n", explain_stop(*outcome, time));
  return outcome->kind == Outcome::Kind::trapped ? kExitTrap : kExitTimeout;
}

Result<int> run_typed(const Stage& stage, const ManifestExport& exported, const RunOptions& options,
                      WasiProcess& process) {
  TypedCall call = NUR_TRY(TypedCall::prepare(exported, options.arguments, &process));
  call.initialize_by(stage.function.module().manifest());
  const int status = run_to_end(stage, call);
  if (status == 0) {
    for (const std::string& result : call.results()) fmt::print("{}\n", result);
  }
  return status;
}

Result<int> run_stream(const Stage& stage, const RunOptions& options) {
  const std::string input = NUR_TRY(read_standard_input(options.limits.output_bytes_max));
  NurStream stream(stage.function.stream_entries(), input, options.limits.output_bytes_max,
                   [](std::string_view text) { fmt::print(stderr, "log: {}\n", printable(text)); });
  const int status = run_to_end(stage, stream);
  const std::string output = stream.take_output();
  std::fwrite(output.data(), 1, output.size(), stdout);
  if (stream.overflowed()) {
    fmt::print(stderr, "nurhost: the function sent more than {}\n",
               format_size(options.limits.output_bytes_max));
  }
  return status;
}

Result<int> run_handle(const Stage& stage, const RunOptions& options) {
  const HandleEntries& entries = stage.function.handle_entries();
  const std::optional<std::uint32_t> entry =
      options.invoke ? entries.find(*options.invoke) : entries.choose(stage.function.name());
  if (!entry) {
    return fail(ErrorKind::not_found, "{} has the functions {}; name one with --invoke",
                stage.function.name(), entries.names());
  }
  EnvironmentTable environment;
  for (const std::string& variable : options.environment) {
    const std::size_t equals = variable.find('=');
    if (equals == std::string::npos) {
      return fail(ErrorKind::invalid_input, "--env {}: write NAME=VALUE", printable(variable, 64));
    }
    environment.insert_or_assign(variable.substr(0, equals), variable.substr(equals + 1));
  }
  const auto log = [](std::string_view text) { fmt::print(stderr, "log: {}\n", printable(text)); };
  FunctionSettings settings = stage.function.settings();
  settings.arguments = options.arguments;
  const std::unique_ptr<LoggingProcess> process =
      NUR_TRY(LoggingProcess::make(stage.function.name(), settings, environment, log));
  const SystemClock clock;
  const std::unique_ptr<RunOutside> outside = NUR_TRY(RunOutside::open(stage.function, clock));
  HandleCall call({.entries = entries,
                   .target = {*entry, &environment},
                   .wasi = &process->process(),
                   .output_bytes_max = options.limits.output_bytes_max,
                   .network = outside->network(),
                   .on_log = [&](GuestLogLevel, std::string_view text) { log(text); },
                   .services = outside->services()});
  const int status = run_to_end(stage, call, outside.get());
  process->flush();
  if (call.refused()) fmt::print(stderr, "nurhost: {}\n", *call.refused());
  if (status != 0) return status;
  HandleResponse set = call.take_response();
  // As when it is served: what was not set has a default, unless nothing was.
  if (set.status || set.body || !set.headers.empty()) {
    if (!set.status) set.reason = "OK";
    if (!set.status) set.status = 200;
    if (!set.body) set.body = "";
  }
  const std::string bytes = NUR_TRY(to_bytes(set));
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
  return 0;
}

// The export that --invoke names, or that a typed module means by itself.
Result<const ManifestExport*> typed_export(const Function& function, const RunOptions& options) {
  const Manifest& manifest = function.module().manifest();
  if (!options.invoke) {
    const ManifestExport* const chosen = choose_typed_export(manifest, function.name());
    if (chosen != nullptr) return chosen;
    return fail(ErrorKind::not_found, "{} exports several functions; name one with --invoke",
                function.name());
  }
  const ManifestExport* const named = manifest.find_function(*options.invoke);
  if (named != nullptr) return named;
  std::string known;
  for (const ManifestExport& exported : manifest.exports) {
    if (exported.kind != ExternalKind::function) continue;
    known += (known.empty() ? "" : ", ") + printable(exported.name, 64);
  }
  return fail(ErrorKind::not_found, "{} exports no function {}; it exports {}", function.name(),
              *options.invoke, known.empty() ? "none" : known);
}

Result<int> run_function(Function& function, const RunOptions& options) {
  const LowAddresses low_addresses = NUR_TRY(LowAddresses::reserve());
  const TrapGuard guard = NUR_TRY(TrapGuard::install());
  const Lease lease = NUR_TRY(function.acquire());
  const Stage stage{function, lease.instance(), guard};

  if (function.abi() == GuestAbi::nur && !options.invoke) return run_stream(stage, options);
  if (function.abi() == GuestAbi::handle) return run_handle(stage, options);

  DescriptorStream input(STDIN_FILENO);
  DescriptorStream output(STDOUT_FILENO);
  DescriptorStream errors(STDERR_FILENO);
  WasiOptions wasi;
  wasi.arguments = options.arguments;
  wasi.arguments.insert(wasi.arguments.begin(), function.name());
  wasi.environment = options.environment;
  wasi.preopens = stage.function.settings().preopens;
  wasi.standard_input = &input;
  wasi.standard_output = &output;
  wasi.standard_error = &errors;
  WasiProcess process = NUR_TRY(WasiProcess::create(std::move(wasi)));

  if (function.abi() == GuestAbi::wasi && !options.invoke) {
    CommandCall command(function.module().manifest(), process);
    return run_to_end(stage, command);
  }
  if (function.abi() == GuestAbi::nur) {
    return fail(ErrorKind::invalid_input,
                "--invoke calls exports of typed modules and commands; {} is a stream function",
                function.name());
  }
  const ManifestExport* const exported = NUR_TRY(typed_export(function, options));
  return run_typed(stage, *exported, options, process);
}

}  // namespace

Result<int> run_once(const RunOptions& options) {
  const std::string path = options.artefact.string();
  VerifiedArtefact artefact = NUR_TRY(in_context(VerifiedArtefact::read(options.artefact), path));
  FunctionSettings settings;
  settings.limits = options.limits;
  settings.directories = options.directories;
  NUR_TRY(open_directories(settings));
  settings.outbound = options.outbound;
  if (!settings.outbound.empty()) settings.own_addresses = NUR_TRY(own_addresses());
  const std::unique_ptr<Function> function = NUR_TRY(in_context(
      Function::load(options.artefact.stem().string(), std::move(artefact), std::move(settings)),
      path));
  if (!options.profile) {
    if (function->module().manifest().profile_generate) {
      spdlog::warn("{} counts for a profile that nobody asked for (--profile), and is slower",
                   path);
    }
    return run_function(*function, options);
  }
  ProfileAtEnd profile = NUR_TRY(ProfileAtEnd::begin(*function, *options.profile));
  Result<int> status = run_function(*function, options);
  NUR_TRY(profile.write());
  return status;
}

}  // namespace nur
