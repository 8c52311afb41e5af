// Between the command line and the master: files of settings are read, modules that are not
// compiled are, and routes are held against what their modules export. At the start, and again
// whenever what is served has changed.
#pragma once

#include "base/result.h"
#include "host/compile/compiled_modules.h"
#include "host/config/configuration.h"
#include "host/options.h"
#include "host/process/reloading.h"

namespace nur {

// What it has compiled has to stay there for as long as that is served.
class Preparer final : public Reloading {
 public:
  explicit Preparer(ServeCommand asked) : asked_(std::move(asked)) {}

  // Errors: those of read_configuration; what keeps a module of a route from being served.
  Result<ServeOptions> prepare();

  bool has_to_compile() override;
  void compile() override;
  // The same, but what has_to_compile() found is refused.
  Result<ServeOptions> prepare_again() override;

 private:
  [[nodiscard]] Result<Configuration> read() const;
  Result<ServeOptions> prepared(Configuration read, bool compiles);

  const ServeCommand asked_;
  std::optional<CompiledModules> compiled_;
};

}  // namespace nur
