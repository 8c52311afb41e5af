#include "host/serve/handle_task.h"

#include <unistd.h>
#include <utility>

#include "host/abi/handle/answer.h"

namespace nur {
namespace {

constexpr std::size_t kLineBytesMax = 4096;

spdlog::level::level_enum level_of(GuestLogLevel level) {
  switch (level) {
    case GuestLogLevel::error:
      return spdlog::level::err;
    case GuestLogLevel::warning:
      return spdlog::level::warn;
    case GuestLogLevel::info:
      return spdlog::level::info;
    case GuestLogLevel::debug:
      return spdlog::level::debug;
  }
  return spdlog::level::info;
}

}  // namespace

LoggingProcess::LoggingProcess(const LineSink::OnLine& on_line, std::size_t bytes_max)
    : standard_output_(on_line, kLineBytesMax, bytes_max),
      standard_error_(on_line, kLineBytesMax, bytes_max) {}

Result<std::unique_ptr<LoggingProcess>> LoggingProcess::make(const std::string& name,
                                                             const FunctionSettings& settings,
                                                             const EnvironmentTable& environment,
                                                             const LineSink::OnLine& on_line) {
  std::unique_ptr<LoggingProcess> made(new LoggingProcess(on_line, settings.limits.log_bytes_max));
  WasiOptions options = process_options(name, settings);
  options.environment.clear();
  for (const auto& [key, value] : environment) {
    // A process has no way to say these; env_get has.
    const bool can_be_said = !key.empty() && (key + value).find('\0') == std::string::npos &&
                             key.find('=') == std::string::npos;
    if (can_be_said) options.environment.push_back(key + "=" + value);
  }
  options.standard_output = &made->standard_output_;
  options.standard_error = &made->standard_error_;
  made->process_ = NUR_TRY(WasiProcess::create(std::move(options)));
  return made;
}

void LoggingProcess::flush() {
  standard_output_.flush();
  standard_error_.flush();
}

HandleTask::HandleTask(const TaskContext& context, Function& function, Lease lease,
                       Exchange& exchange, bool is_exact)
    : GuestTask(context, function, std::move(lease), exchange), is_exact_(is_exact) {}

Result<std::unique_ptr<HandleTask>> HandleTask::make(const TaskContext& context, Function& function,
                                                     Lease lease, Exchange& exchange,
                                                     const HandleTarget* target) {
  const HandleEntries& entries = function.handle_entries();
  const std::optional<std::uint32_t> entry =
      target != nullptr ? target->entry : entries.choose(function.name());
  if (!entry) {
    return fail(ErrorKind::not_found,
                "{} has several functions ({}), and none of them is called handle or {}",
                function.name(), entries.names(), function.name());
  }
  const EnvironmentTable& environment =
      target != nullptr ? *target->environment : function.settings().environment;
  std::unique_ptr<HandleTask> task(
      new HandleTask(context, function, std::move(lease), exchange, target != nullptr));
  HandleTask& made = *task;
  if (entries.uses_wasi()) {
    made.process_ =
        NUR_TRY(LoggingProcess::make(function.name(), function.settings(), environment,
                                     [&made](std::string_view line) { made.log_guest(line); }));
  }
  std::optional<HandleNetwork> network;
  if (context.outside != nullptr && context.outside->resolver && !function.outbound().is_empty()) {
    network.emplace(HandleNetwork{.loop = context.loop,
                                  .resolver = *context.outside->resolver,
                                  .budget = context.outside->sockets,
                                  .policy = function.outbound(),
                                  .guest = made,
                                  .sockets_max = function.limits().sockets_max});
  }
  static const Outside nothing;
  const Outside& outside = context.outside ? *context.outside : nothing;
  made.call_.emplace(HandleCall::Setting{
      .entries = entries,
      .target = {*entry, &environment},
      .request = &exchange.request(),
      .wasi = made.process_ ? &made.process_->process() : nullptr,
      .output_bytes_max = function.limits().output_bytes_max,
      .network = network,
      .on_log = [&made](GuestLogLevel level, std::string_view text) { made.log(level, text); },
      .services = {.exchange = &exchange,
                   .guest = &made,
                   .kv = outside.kv.get(),
                   .space = function.name(),
                   .http = outside.http.get(),
                   .http_pool = outside.http ? outside.http->find_pool(function.name()) : nullptr,
                   .policy = &function.outbound()}});
  return task;
}

void HandleTask::log(GuestLogLevel level, std::string_view text) {
  if (!log_guest(text, level_of(level)) || !is_exact_) return;
  // Where serverless-wasm says it.
  const std::string line = fmt::format("log({} bytes): {}\n", text.size(), printable(text));
  (void)!::write(STDOUT_FILENO, line.data(), line.size());
}

void HandleTask::answer(std::uint32_t exit_status) {
  if (process_) process_->flush();
  if (exit_status != 0) {
    return refuse(fmt::format("the function exited with status {}", exit_status));
  }
  if (call_->has_written()) {
    const Result<void> ended = exchange().end();
    if (!ended) refuse(ended.error().message);
    return;
  }
  if (is_exact_) {
    Result<std::string> bytes = to_bytes(call_->response());
    if (!bytes) return refuse(bytes.error().message);
    return exchange().respond_exactly(*std::move(bytes));
  }
  Result<Response> response = to_response(call_->take_response());
  if (!response) return refuse(response.error().message);
  exchange().respond(*std::move(response));
}

std::optional<std::string> HandleTask::refused_by_host() const { return call_->refused(); }

}  // namespace nur
