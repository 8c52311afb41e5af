#include "host/serve/function.h"

#include "base/log.h"
#include "base/units.h"
#include "host/abi/wasi/functions.h"

namespace nur {
namespace {

Result<HostFunction> find_host_function(const ManifestImport& import) {
  HostFunction found = nullptr;
  if (import.module == "nur") found = find_stream_function(import.name);
  if (import.module == "wasi_snapshot_preview1") found = find_wasi_function(import.name);
  if (found == nullptr) {
    return fail(ErrorKind::invalid_input,
                "refused by rule imports: this host does not offer {}.{}; compile the module again "
                "with the nurc of this release",
                printable(import.module, 64), printable(import.name, 64));
  }
  return found;
}

}  // namespace

Result<std::unique_ptr<Function>> Function::load(std::string name, const Path& artefact,
                                                 const FunctionLimits& limits) {
  std::unique_ptr<LoadedModule> module = NUR_TRY(LoadedModule::load(artefact));
  const Manifest& manifest = module->manifest();
  if (module->initial_memory_bytes() > limits.sandbox.memory_bytes_max) {
    return fail(ErrorKind::limit_exceeded,
                "refused by rule memory: needs {} to start with, the limit is {} (--memory-max)",
                format_size(module->initial_memory_bytes()),
                format_size(limits.sandbox.memory_bytes_max));
  }
  std::unique_ptr<Function> function(new Function(std::move(name), std::move(module), limits));
  for (const ManifestImport& import : manifest.imports) {
    const HostFunction found = NUR_TRY(find_host_function(import));
    function->host_functions_.push_back(found);
  }
  if (manifest.guest_abi == GuestAbi::nur) {
    function->stream_entries_ =
        NUR_TRY(in_context(StreamEntries::find(manifest), "refused by rule exports"));
  }
  if (manifest.guest_abi == GuestAbi::wasi && manifest.find_function("_start") == nullptr) {
    return fail(ErrorKind::invalid_input, "refused by rule exports: no export _start");
  }
  return function;
}

Function::Function(std::string name, std::unique_ptr<LoadedModule> module,
                   const FunctionLimits& limits)
    : name_(std::move(name)),
      module_(std::move(module)),
      limits_(limits),
      pool_(*module_, limits.sandbox, limits.pool) {}

}  // namespace nur
