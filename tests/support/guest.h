// A few lines of WAT, through nurc's pipeline, loaded by the host's loader: what guest tests run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/build_object.h"
#include "host/artefact/loaded_module.h"
#include "host/sandbox/guest_run.h"
#include "host/sandbox/instance.h"

namespace nur::test {

// The artefact of a text module, compiled once per process, text and options. Aborts the test run
// with the compiler's message when it cannot be compiled.
Path artefact_of(std::string_view wat, const BuildOptions& build = {});

// The module, loaded anew at every call.
std::unique_ptr<LoadedModule> load_wat(std::string_view wat, const BuildOptions& build = {});

// One per process: signal handlers are process-wide.
const TrapGuard& trap_guard();

// Calls one export once, with a list of 64-bit values.
class OneCall final : public Invocation {
 public:
  OneCall(const Manifest& manifest, std::string_view name, std::vector<std::uint64_t> arguments,
          void* context = nullptr);

  std::expected<std::optional<Call>, nur_trap> next_call(const GuestMemory& memory) override;
  void* context(std::uint32_t) override { return context_; }
  [[nodiscard]] const nur_value& result(std::size_t i = 0) const { return values_.at(i); }

 private:
  std::uint32_t entry_;
  std::vector<nur_value> values_;
  void* context_;
  bool called_ = false;
};

// Runs `invocation` to its end in `instance`, sleeping for real where the guest does, switched out
// after each `quantum`; `switched_out` counts how often.
Outcome run_guest(Instance& instance, Invocation& invocation,
                  std::span<const HostFunction> functions = {},
                  Milliseconds timeout = Milliseconds(5000),
                  Nanoseconds quantum = Nanoseconds::max(), std::size_t* switched_out = nullptr);

}  // namespace nur::test
