#include "host/serve/typed_task.h"

namespace nur {

TypedTask::TypedTask(const TaskContext& context, Function& function, Lease lease,
                     Exchange& exchange, WasiProcess process)
    : GuestTask(context, function, std::move(lease), exchange), process_(std::move(process)) {}

Result<std::unique_ptr<TypedTask>> TypedTask::make(const TaskContext& context, Function& function,
                                                   Lease lease, Exchange& exchange,
                                                   const std::string& input) {
  const ManifestExport* const exported =
      choose_typed_export(function.module().manifest(), function.name());
  if (exported == nullptr) {
    return fail(ErrorKind::not_found,
                "{} exports several functions and none of them is called {}, run or main",
                function.name(), function.name());
  }
  WasiProcess process =
      NUR_TRY(WasiProcess::create(process_options(function.name(), function.settings())));
  std::unique_ptr<TypedTask> task(
      new TypedTask(context, function, std::move(lease), exchange, std::move(process)));
  TypedCall call = NUR_TRY(TypedCall::prepare(*exported, split_arguments(input), &task->process_));
  call.initialize_by(function.module().manifest());
  task->call_.emplace(std::move(call));
  return task;
}

void TypedTask::answer(std::uint32_t exit_status) {
  if (exit_status != 0) {
    refuse(fmt::format("the function exited with status {}", exit_status));
    return;
  }
  Response response;
  response.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
  for (const std::string& result : call_->results()) {
    response.body += (response.body.empty() ? "" : ",") + result;
  }
  exchange().respond(std::move(response));
}

}  // namespace nur
