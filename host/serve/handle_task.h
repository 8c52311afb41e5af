// One request to a handle function: what the guest sets becomes the answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "host/abi/handle/handle_call.h"
#include "host/abi/wasi/process.h"
#include "host/serve/guest_task.h"

namespace nur {

// The process that a C library of a handle module finds: what the settings grant, the table of
// values as its environment, and every line that it prints in the log.
class LoggingProcess {
 public:
  // Errors: those of WasiProcess::create.
  static Result<std::unique_ptr<LoggingProcess>> make(const std::string& name,
                                                      const FunctionSettings& settings,
                                                      const EnvironmentTable& environment,
                                                      const LineSink::OnLine& on_line);
  [[nodiscard]] WasiProcess& process() { return *process_; }
  // Lines without an end, too, have been printed.
  void flush();

 private:
  LoggingProcess(const LineSink::OnLine& on_line, std::size_t bytes_max);

  LineSink standard_output_;
  LineSink standard_error_;
  std::optional<WasiProcess> process_;
};

class HandleTask final : public GuestTask {
 public:
  // With a `target`, which outlives the task, the answer has exactly the bytes of serverless-wasm.
  // Otherwise what is called is chosen. Errors: not_found when the module has several functions and
  // none that is meant; those of LoggingProcess::make.
  static Result<std::unique_ptr<HandleTask>> make(const TaskContext& context, Function& function,
                                                  Lease lease, Exchange& exchange,
                                                  const HandleTarget* target);

 protected:
  Invocation& invocation() override { return *call_; }
  void answer(std::uint32_t exit_status) override;
  [[nodiscard]] int failure_status() const override { return is_exact_ ? 500 : 502; }
  [[nodiscard]] std::optional<std::string> refused_by_host() const override;

 private:
  HandleTask(const TaskContext& context, Function& function, Lease lease, Exchange& exchange,
             bool is_exact);
  void log(GuestLogLevel level, std::string_view text);

  const bool is_exact_;

  std::unique_ptr<LoggingProcess> process_;  // of modules that import WASI
  std::optional<HandleCall> call_;
};

}  // namespace nur
