#include "compiler/compile.h"

#include "base/artefact_file.h"
#include "compiler/function_names.h"
#include "compiler/module_entry.h"
#include "compiler/translate.h"
#include "compiler/wasm/describe.h"
#include "compiler/wasm/import_policy.h"
#include "compiler/wasm/limits.h"
#include "compiler/wasm/rewrite.h"
#include "compiler/wasm/wasm_module.h"
#include "nur/abi.h"
#include "runtime/embedded.h"

namespace nur {
namespace {

FunctionNames names_of(const WasmModule& module) {
  FunctionNames functions;
  functions.start = module.start;
  for (const auto& [index, name] : module.function_names) {
    functions.names.emplace(index, std::string(name));
  }
  for (const WasmExport& exported : module.exports) {
    if (exported.kind == ExternalKind::function) functions.entries.push_back(exported.index);
  }
  return functions;
}

// Everything the C compiler reads besides what wasm2c makes.
Result<void> write_sources(const Path& folder, const Manifest& manifest,
                           const RewrittenModule& rewritten) {
  NUR_TRY(write_file(folder / "module.wasm", rewritten.bytes));
  std::filesystem::create_directory(folder / "nur");
  for (const EmbeddedFile& file : runtime_files()) {
    NUR_TRY(write_file(folder / file.name, file.bytes));
  }
  const std::string json = to_json(manifest);
  NUR_TRY(write_file(folder / "nur_config.h", config_header(manifest)));
  NUR_TRY(write_file(folder / "entry.c", entry_source(manifest, rewritten.image)));
  NUR_TRY(write_file(folder / "manifest.json", json));
  NUR_TRY(write_file(folder / "image.bin", image_bytes(rewritten.image)));
  return write_file(folder / "sections.s", sections_source(json.size(), !rewritten.image.empty()));
}

Manifest manifest_of(const WasmModule& module, std::string_view bytes, GuestAbi abi,
                     const CompileOptions& options, const Toolchain& toolchain) {
  Manifest manifest = describe(module, abi);
  manifest.abi_version = NUR_ABI_VERSION;
  manifest.wasm_sha256 = to_hex(sha256(bytes));
  manifest.target_cpu = options.build.target_cpu;
  manifest.nurc_version = options.nurc_version;
  manifest.wasm2c_version = toolchain.wasm2c.version;
  manifest.compiler = toolchain.compiler.version;
  manifest.flags = compiler_flags(options.build);
  return manifest;
}

}  // namespace

Result<std::string> read_wasm(const Path& input, const Toolchain& toolchain,
                              const Interrupt& interrupt) {
  std::string bytes = NUR_TRY(read_file(input, ModuleLimits{}.module_bytes));
  if (bytes.starts_with(std::string_view("\0asm", 4)) || input.extension() != ".wat") return bytes;

  if (!toolchain.wat2wasm) {
    return fail(ErrorKind::not_found,
                "wat2wasm is needed for {} and was found neither beside wasm2c nor on PATH; run "
                "./dev setup",
                input.string());
  }
  const ScratchDir scratch = NUR_TRY(ScratchDir::create("nurc-"));
  NUR_TRY(write_file(scratch.path() / "module.wat", bytes));
  Command command;
  command.folder = scratch.path();
  command.arguments = {toolchain.wat2wasm->string(),
                       "--debug-names",
                       "--enable-extended-const",
                       "module.wat",
                       "-o",
                       "module.wasm"};
  NUR_TRY(run_process(command, interrupt));
  return read_file(scratch.path() / "module.wasm", ModuleLimits{}.module_bytes);
}

Result<Artefact> compile(const CompileOptions& options, const Toolchain& toolchain,
                         const Interrupt& interrupt) {
  const std::string bytes = NUR_TRY(read_wasm(options.input, toolchain, interrupt));
  const WasmModule module = NUR_TRY(read_module(bytes));
  const GuestAbi abi = NUR_TRY(recognise_abi(module, options.guest_abi));
  NUR_TRY(check_imports(module, abi));
  // From here on the module is well-formed and asks only for what its ABI offers.

  const RewrittenModule rewritten = NUR_TRY(rewrite(module));
  const Manifest manifest = manifest_of(module, bytes, abi, options, toolchain);
  // From here on no name of the module goes anywhere but into the manifest.

  const ScratchDir scratch = NUR_TRY(ScratchDir::create("nurc-"));
  NUR_TRY(write_sources(scratch.path(), manifest, rewritten));
  const CSources sources = NUR_TRY(translate(scratch.path(), toolchain, interrupt));
  const SharedObject object =
      NUR_TRY(build_object(sources, names_of(module), options.build, toolchain, interrupt));
  // From here on the object is what the host will load; only its place changes.

  if (interrupt.raised()) return fail(ErrorKind::interrupted, "interrupted");
  NUR_TRY(publish_file(options.output, object.bytes));
  return Artefact{options.output, object.bytes.size(), abi};
}

}  // namespace nur
