// The functions of folders and files, as a worker has them, in one process.
#pragma once

#include "host/artefact/artefact_files.h"
#include "host/serve/registry.h"

namespace nur::test {

inline Result<Registry> load_registry(const std::vector<Path>& paths, const FunctionLimits& limits,
                                      const OnRefused& on_refused) {
  Registry registry;
  FunctionSettings settings;
  settings.limits = limits;
  const auto add = [&](const std::string& name, const Path& file, VerifiedArtefact artefact) {
    auto function = Function::load(name, std::move(artefact), settings);
    if (function) {
      registry.add(*std::move(function));
    } else {
      on_refused(file, function.error());
    }
  };
  NUR_TRY(verify_artefacts({}, paths, add, on_refused));
  return registry;
}

}  // namespace nur::test
