// Between the command line and the master: files of settings are read, modules that are not
// compiled are, and routes are held against what their modules export.
#pragma once

#include "base/result.h"
#include "host/compile/compiled_modules.h"
#include "host/options.h"

namespace nur {

// What has to stay there for as long as `command.options` is served.
struct Prepared {
  std::optional<CompiledModules> modules;
};

// Errors: those of read_configuration; what keeps a module of a route from being served.
Result<Prepared> prepare(ServeCommand& command);

}  // namespace nur
