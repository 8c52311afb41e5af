#include "tests/spec/workshop.h"

#include <algorithm>

#include "base/artefact_file.h"
#include "compiler/translate.h"
#include "compiler/wasm/rewrite.h"
#include "tests/spec/link.h"

namespace nur::spec {
namespace {

// Entries of an imported table, pages of an imported memory.
constexpr std::uint32_t kRoom = 16;

}  // namespace

Result<Path> compile_to_file(const WasmModule& module, std::string_view bytes,
                             const Workshop& workshop) {
  const Path artefact = workshop.artefacts /
                        fmt::format("{}-O{}", to_hex(sha256(bytes)), workshop.build.optimisation);
  if (std::filesystem::exists(artefact)) return artefact;

  CompileOptions options;
  options.build = workshop.build;
  options.nurc_version = "spec";
  const SharedObject object = NUR_TRY(build_module(module, bytes, GuestAbi::typed, options,
                                                   workshop.toolchain, workshop.interrupt));
  // Under its name only when it is whole: another script may be looking for it.
  const Path file = workshop.folder / "module.so";
  NUR_TRY(write_file(file, object.bytes));
  std::filesystem::rename(file, artefact);
  return artefact;
}

Result<void> validate(std::string_view bytes, const Workshop& workshop) {
  const WasmModule module = NUR_TRY(read_module(bytes));
  // What is imported must not be the reason for a refusal: all is there as it is wanted, and with
  // room for segments.
  const auto as_wanted = [](const WasmImport&, const External& wanted) -> Result<External> {
    External given = wanted;
    given.limits.initial =
        std::max(wanted.limits.initial, std::min(wanted.limits.max.value_or(kRoom), kRoom));
    return given;
  };
  const LinkedModule linked = NUR_TRY(link(module, as_wanted));
  const WasmModule own = NUR_TRY(read_module(linked.bytes));
  const RewrittenModule rewritten = NUR_TRY(rewrite(own));
  NUR_TRY(write_file(workshop.folder / "module.wasm", rewritten.bytes));
  NUR_TRY(translate(workshop.folder, workshop.toolchain, workshop.interrupt));
  return {};
}

}  // namespace nur::spec
