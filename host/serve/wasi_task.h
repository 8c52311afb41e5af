// A request to a WASI command, in two ways: as CGI, and as "input in, result out" below /api.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "host/abi/typed/typed_call.h"
#include "host/abi/wasi/process.h"
#include "host/serve/cgi_streams.h"
#include "host/serve/guest_task.h"

namespace nur {

// Calls _start once.
class CommandCall final : public Invocation {
 public:
  CommandCall(const Manifest& manifest, WasiProcess& process);
  std::expected<std::optional<Call>, nur_trap> next_call(const GuestMemory& memory) override;
  void* context(std::uint32_t) override { return &process_; }

 private:
  std::uint32_t entry_;
  WasiProcess& process_;
  nur_value unused_{};
  bool called_ = false;
};

class WasiTask final : public GuestTask {
 public:
  // How standard output is understood.
  enum class Reading {
    cgi,     // header lines, an empty line, a body; standard input is the request's body
    result,  // text, trimmed; standard input is what the path says
  };

  // Errors: internal when no process can be made of the request.
  static Result<std::unique_ptr<WasiTask>> make(const TaskContext& context, Function& function,
                                                Lease lease, Exchange& exchange,
                                                const Route& route);

 private:
  WasiTask(const TaskContext& context, Function& function, Lease lease, Exchange& exchange,
           Reading reading, std::string input);

  Invocation& invocation() override { return *call_; }
  void answer(std::uint32_t exit_status) override;
  std::optional<std::string> on_pause() override;
  void on_failure() override;
  [[nodiscard]] std::optional<std::string> refused_by_host() const override {
    return cgi_output_.wrong();
  }
  void answer_cgi();

  const Reading reading_;
  const std::string input_;
  InputView standard_input_;
  BodyInput body_input_;  // instead, of a body that has not come whole
  CappedOutput standard_output_;
  CgiOutput cgi_output_;  // instead, as CGI
  LineSink standard_error_;
  std::optional<WasiProcess> process_;
  std::optional<CommandCall> call_;
};

}  // namespace nur
