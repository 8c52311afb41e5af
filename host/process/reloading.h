// What the master asks when what it serves may have changed.
#pragma once

#include "base/result.h"
#include "host/process/serve_options.h"

namespace nur {

class Reloading {
 public:
  virtual ~Reloading() = default;

  // Whether some module has to be compiled first, which may take long.
  virtual bool has_to_compile() = 0;
  // Does so; called in a process of its own, whose standard error is the log.
  virtual void compile() = 0;
  // What is to be served now. Errors: why that cannot be known.
  virtual Result<ServeOptions> prepare_again() = 0;
};

}  // namespace nur
