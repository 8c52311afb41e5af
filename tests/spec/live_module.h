// A module of a script, compiled, loaded and instantiated: what its commands act on.
//
// It keeps its state from command to command, which no request of the host does; so it drives the
// instance itself. A function imported from another module runs in that module's instance, on its
// stack, while the caller is parked: modules import from earlier ones only, so none is entered
// twice.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/sandbox/instance.h"
#include "host/sandbox/outcome.h"
#include "tests/spec/link.h"
#include "tests/spec/workshop.h"

namespace nur::spec {

class LiveModule {
 public:
  // Compiles and loads it; its start function has not run yet. Modules that `linked` imports from
  // outlive this one. Errors: those of nurc, the loader and Instance::create.
  static Result<std::unique_ptr<LiveModule>> make(LinkedModule linked, const Workshop& workshop,
                                                  const TrapGuard& guard);

  // Runs the start function, if there is one.
  Outcome start();

  // Parameters and results are in `values`, as many as the entry's type has of either.
  Outcome call(std::uint32_t entry, nur_value* values);

  // As it is now. Errors: not_found; internal when a global cannot be read.
  Result<External> find_export(std::string_view name);

 private:
  LiveModule(LinkedModule linked, const TrapGuard& guard)
      : linked_(std::move(linked)), guard_(guard) {}
  Outcome run(nur_export_call function, nur_value* values);
  // An outcome when it ends the run.
  std::optional<Outcome> serve(const GuestStop& stop);

  LinkedModule linked_;  // module_ is a view of its bytes
  const TrapGuard& guard_;
  WasmModule module_;
  std::unique_ptr<LoadedModule> loaded_;
  std::unique_ptr<Instance> instance_;
};

}  // namespace nur::spec
