// How a guest's part of a request ended. Whatever a guest does is an Outcome, never an Error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "host/artefact/loaded_module.h"
#include "nur/abi.h"

namespace nur {

struct Outcome {
  enum class Kind {
    returned,  // the last call came back
    exited,    // the guest ended itself (WASI proc_exit) with `exit_status`
    trapped,   // stopped for `trap`
    expired,   // out of time
  };
  Kind kind = Kind::returned;
  nur_trap trap = NUR_TRAP_NONE;
  std::uint32_t exit_status = 0;
  // Where it was stopped, for LoadedModule::function_at; 0 when it was inside a host call.
  std::uintptr_t program_counter = 0;
};

// "trap: integer divide by zero in parse_header", "timeout: still running after 5s in a host call":
// for logs. Of guests that were stopped only.
std::string explain_stop(const Outcome& outcome, const LoadedModule& module, Nanoseconds timeout);

// The spec's text: "out of bounds memory access", "integer divide by zero", ...
std::string_view to_string(nur_trap trap);

}  // namespace nur
