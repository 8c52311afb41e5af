#include "host/serve/function.h"

#include "base/log.h"
#include "base/units.h"
#include "host/abi/handle/functions.h"
#include "host/abi/wasi/functions.h"

namespace nur {
namespace {

constexpr HostModule kStandardModules[] = {
    {"nur", find_stream_function},
    {"wasi_snapshot_preview1", find_wasi_function},
    {"env", find_handle_function},
};

Result<HostFunction> find_host_function(const ManifestImport& import,
                                        std::span<const HostModule> offered) {
  for (const HostModule& module : offered) {
    if (module.name != import.module) continue;
    if (const HostFunction found = module.find(import.name)) return found;
  }
  return fail(ErrorKind::invalid_input,
              "refused by rule imports: this host does not offer {}.{}; compile the module again "
              "with the nurc of this release",
              printable(import.module, 64), printable(import.name, 64));
}

}  // namespace

std::span<const HostModule> standard_host_modules() { return kStandardModules; }

Result<std::unique_ptr<Function>> Function::load(std::string name, VerifiedArtefact artefact,
                                                 FunctionSettings settings,
                                                 std::span<const HostModule> offered,
                                                 std::uint32_t number) {
  std::unique_ptr<LoadedModule> module = NUR_TRY(LoadedModule::load(std::move(artefact)));
  const Manifest& manifest = module->manifest();
  if (module->initial_memory_bytes() > settings.limits.sandbox.memory_bytes_max) {
    return fail(ErrorKind::limit_exceeded,
                "refused by rule memory: needs {} to start with, the limit is {} (--memory-max)",
                format_size(module->initial_memory_bytes()),
                format_size(settings.limits.sandbox.memory_bytes_max));
  }
  OutboundPolicy outbound =
      NUR_TRY(OutboundPolicy::parse(settings.outbound, settings.own_addresses));
  std::unique_ptr<Function> function(
      new Function(std::move(name), std::move(module), std::move(settings), number));
  function->outbound_ = std::move(outbound);
  for (const ManifestImport& import : manifest.imports) {
    const HostFunction found = NUR_TRY(find_host_function(import, offered));
    function->host_functions_.push_back(found);
  }
  function->reads_environment_ =
      manifest.imports_function("wasi_snapshot_preview1", "environ_get") ||
      manifest.imports_function("wasi_snapshot_preview1", "environ_sizes_get");
  if (manifest.guest_abi == GuestAbi::nur) {
    function->stream_entries_ =
        NUR_TRY(in_context(StreamEntries::find(manifest), "refused by rule exports"));
  }
  if (manifest.guest_abi == GuestAbi::handle) {
    function->handle_entries_ =
        NUR_TRY(in_context(HandleEntries::find(manifest), "refused by rule exports"));
    function->asks_for_body_ = manifest.imports_function("env", "request_body");
  }
  if (manifest.guest_abi == GuestAbi::wasi && manifest.find_function("_start") == nullptr) {
    return fail(ErrorKind::invalid_input, "refused by rule exports: no export _start");
  }
  return function;
}

Function::Function(std::string name, std::unique_ptr<LoadedModule> module,
                   FunctionSettings settings, std::uint32_t number)
    : name_(std::move(name)),
      number_(number),
      module_(std::move(module)),
      settings_(std::move(settings)),
      pool_(*module_, settings_.limits.sandbox, settings_.limits.pool) {}

}  // namespace nur
