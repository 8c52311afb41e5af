// GET /api/NAME/INPUT of a typed export: numbers in the path, numbers in the answer.
#pragma once

#include <cstdint>
#include <memory>

#include "host/abi/typed/typed_call.h"
#include "host/abi/wasi/process.h"
#include "host/serve/guest_task.h"

namespace nur {

class TypedTask final : public GuestTask {
 public:
  // Errors: invalid_input when `input` does not fit the export; not_found when the module has none
  // that a path could mean; internal.
  static Result<std::unique_ptr<TypedTask>> make(const TaskContext& context, Function& function,
                                                 Lease lease, Exchange& exchange,
                                                 const std::string& input);

 private:
  TypedTask(const TaskContext& context, Function& function, Lease lease, Exchange& exchange,
            WasiProcess process);

  Invocation& invocation() override { return *call_; }
  void answer(std::uint32_t exit_status) override;

  WasiProcess process_;  // for modules over numbers that import WASI as well
  std::optional<TypedCall> call_;
};

}  // namespace nur
