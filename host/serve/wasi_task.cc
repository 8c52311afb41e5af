#include "host/serve/wasi_task.h"

#include "base/check.h"
#include "base/units.h"
#include "host/abi/cgi/environment.h"
#include "host/abi/cgi/response.h"

namespace nur {
namespace {

// What a command prints in its first so much of processor time goes out together.
constexpr Nanoseconds kSoon = Milliseconds(20);

std::string trimmed(std::string text) {
  constexpr const char* kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

CommandCall::CommandCall(const Manifest& manifest, WasiProcess& process)
    : entry_(0), process_(process) {
  const ManifestExport* const start = manifest.find_function("_start");
  NUR_CHECK(start != nullptr);
  entry_ = start->entry;
}

std::expected<std::optional<Invocation::Call>, nur_trap> CommandCall::next_call(
    const GuestMemory&) {
  if (called_) return std::nullopt;
  called_ = true;
  return Call{entry_, std::span(&unused_, 1)};
}

WasiTask::WasiTask(const TaskContext& context, Function& function, Lease lease, Exchange& exchange,
                   Reading reading, std::string input)
    : GuestTask(context, function, std::move(lease), exchange),
      reading_(reading),
      input_(std::move(input)),
      standard_input_(reading == Reading::cgi ? exchange.request().body : input_),
      body_input_(exchange),
      standard_output_(function.limits().output_bytes_max),
      cgi_output_(exchange),
      standard_error_([this](std::string_view line) { log_guest(line); }, 4096,
                      function.limits().log_bytes_max) {}

Result<std::unique_ptr<WasiTask>> WasiTask::make(const TaskContext& context, Function& function,
                                                 Lease lease, Exchange& exchange,
                                                 const Route& route) {
  const bool api = route.kind == Route::Kind::api;
  std::unique_ptr<WasiTask> task(new WasiTask(context, function, std::move(lease), exchange,
                                              api ? Reading::result : Reading::cgi, route.input));
  std::vector<std::string> request;
  if (!api && function.reads_environment()) {
    CgiOptions cgi;
    cgi.script_name = route.script_name;
    cgi.matched_route = route.script_name + "/...";
    if (!exchange.body_has_ended()) {
      const std::string_view* const length = exchange.request().header("content-length");
      cgi.content_length = length != nullptr ? *length : "";
    }
    request = cgi_environment(exchange.request(), cgi);
  }
  WasiOptions options =
      process_options(function.name(), function.settings(), std::move(request),
                      api ? std::string_view() : std::string_view(exchange.request().query));
  options.standard_input = &task->standard_input_;
  options.standard_output = &task->standard_output_;
  if (!api) {
    if (!exchange.body_has_ended()) options.standard_input = &task->body_input_;
    options.standard_output = &task->cgi_output_;
  }
  options.standard_error = &task->standard_error_;
  task->process_ = NUR_TRY(WasiProcess::create(std::move(options)));
  task->call_.emplace(function.module().manifest(), *task->process_);
  return task;
}

void WasiTask::answer(std::uint32_t exit_status) {
  standard_error_.flush();
  if (exit_status != 0) {
    refuse(fmt::format("the function exited with status {}", exit_status));
    return;
  }
  if (standard_output_.overflowed()) {
    refuse(fmt::format("the function printed more than {}",
                       format_size(function().limits().output_bytes_max)));
    return;
  }
  if (reading_ == Reading::result) {
    Response response;
    response.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
    response.body = trimmed(standard_output_.take());
    exchange().respond(std::move(response));
    return;
  }
  answer_cgi();
}

void WasiTask::answer_cgi() {
  if (cgi_output_.has_begun()) {
    cgi_output_.pass_on();
    const Result<void> ended = exchange().end();
    if (!ended) refuse(ended.error().message);
    return;
  }
  if (cgi_output_.wrong()) return refuse(*cgi_output_.wrong());
  Result<Response> response = parse_cgi_response(cgi_output_.take());
  if (!response) {
    refuse("what the function printed is no CGI response: " + response.error().message);
    return;
  }
  exchange().respond(*std::move(response));
}

std::optional<std::string> WasiTask::on_pause() {
  if (reading_ != Reading::cgi) return std::nullopt;
  // Most commands are done soon, and their answer is then whole.
  if (!run().switched_out() || run().used() >= kSoon) cgi_output_.pass_on();
  return cgi_output_.wrong();
}

// Of an answer that has begun, what was printed goes out.
void WasiTask::on_failure() {
  if (cgi_output_.has_begun()) cgi_output_.pass_on();
}

}  // namespace nur
