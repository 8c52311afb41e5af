#include "compiler/compile.h"

#include <sys/statvfs.h>

#include "base/artefact_file.h"
#include "compiler/function_names.h"
#include "compiler/limits.h"
#include "compiler/module_entry.h"
#include "compiler/profile.h"
#include "compiler/translate.h"
#include "compiler/wasm/describe.h"
#include "compiler/wasm/import_policy.h"
#include "compiler/wasm/limits.h"
#include "compiler/wasm/rewrite.h"
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
    if (exported.kind != ExternalKind::function) continue;
    functions.entries.push_back(exported.index);
    functions.names.try_emplace(exported.index, exported.name);
  }
  return functions;
}

// Everything the C compiler reads besides what wasm2c makes.
Result<void> write_sources(const Path& folder, const Manifest& manifest,
                           const RewrittenModule& rewritten) {
  NUR_TRY(write_file(folder / "module.wasm", rewritten.bytes));
  std::error_code error;
  if (!std::filesystem::create_directory(folder / "nur", error)) {
    return fail(ErrorKind::exhausted, "creating {}: {}", (folder / "nur").string(),
                error.message());
  }
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

// Not every tool says so, or even notices, when the disk is full under it; what is missing in its
// output then looks like a defect of the module.
template <class T>
Result<T> blame_full_disk(Result<T> result, const Path& scratch) {
  constexpr std::uint64_t kFullBytes = 64 << 10;  // what file systems may keep back for themselves
  struct statvfs disk {};
  if (result || result.error().kind == ErrorKind::interrupted ||
      ::statvfs(scratch.c_str(), &disk) != 0) {
    return result;
  }
  const bool no_blocks = std::uint64_t{disk.f_bavail} * disk.f_frsize < kFullBytes;
  const bool no_files = disk.f_files != 0 && disk.f_favail == 0;
  if (!no_blocks && !no_files) return result;
  return fail(ErrorKind::exhausted,
              "No space left on device for {} (TMPDIR names another place): {}", scratch.string(),
              result.error().message);
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
  manifest.flags = compiler_flags(options.build, toolchain.family);
  for (const std::string& flag : profile_flags(options.build.profile)) manifest.flags += " " + flag;
  manifest.stripped = options.build.strip;
  manifest.profile_generate = options.build.profile == ProfileMode::generate;
  for (const NamedLimit& limit : named_limits()) manifest.limits.emplace(limit.name, limit.value);
  return manifest;
}

// wat2wasm checks nothing it writes, so its output is read as a module before it is believed.
Result<std::string> read_text_module(std::string_view text, const Path& folder,
                                     const Path& wat2wasm, const Interrupt& interrupt) {
  NUR_TRY(write_file(folder / "module.wat", text));
  Command command;
  command.folder = folder;
  command.arguments = {
      wat2wasm.string(), "--debug-names", "--enable-extended-const", "module.wat", "-o",
      "module.wasm"};
  NUR_TRY(run_process(command, interrupt));
  std::string bytes = NUR_TRY(read_output(folder / "module.wasm", ModuleLimits{}.module_bytes));
  NUR_TRY(read_module(bytes));
  return bytes;
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
  return blame_full_disk(read_text_module(bytes, scratch.path(), *toolchain.wat2wasm, interrupt),
                         scratch.path());
}

Result<SharedObject> build_module(const WasmModule& module, std::string_view bytes, GuestAbi abi,
                                  const CompileOptions& options, const Toolchain& toolchain,
                                  const Interrupt& interrupt, const BuildServices& services) {
  const RewrittenModule rewritten = NUR_TRY(rewrite(module));
  Manifest manifest = manifest_of(module, bytes, abi, options, toolchain);
  const ProfileIdentity identity{manifest.wasm_sha256, manifest.compiler,
                                 compiler_flags(options.build, toolchain.family)};
  std::optional<Profile> profile;
  if (options.build.profile != ProfileMode::none && toolchain.family != CompilerFamily::gcc) {
    return fail(ErrorKind::invalid_input,
                "profiles need g++, the compiler is {}; leave out --cc, or the profile",
                toolchain.compiler.version);
  }
  if (options.build.profile == ProfileMode::use) {
    profile = NUR_TRY(read_profiles(options.profiles, identity));
    manifest.profile_used = digest_of(*profile);
  }
  // From here on no name of the module goes anywhere but into the manifest.

  const ScratchDir scratch = NUR_TRY(ScratchDir::create("nurc-"));
  const auto build = [&]() -> Result<SharedObject> {
    NUR_TRY(write_sources(scratch.path(), manifest, rewritten));
    const CSources sources = NUR_TRY([&] {
      const auto slot = services.take_slot();
      return translate(scratch.path(), toolchain, interrupt);
    }());
    if (profile) NUR_TRY(write_gcda_files(*profile, sources));
    return build_object(sources, names_of(module), options.build, identity, toolchain, interrupt,
                        services);
  };
  return blame_full_disk(build(), scratch.path());
}

Result<Artefact> compile(const CompileOptions& options, const Toolchain& toolchain,
                         const Interrupt& interrupt, const BuildServices& services) {
  const std::string bytes = NUR_TRY(read_wasm(options.input, toolchain, interrupt));
  const WasmModule module = NUR_TRY(read_module(bytes));
  const GuestAbi abi = NUR_TRY(recognise_abi(module, options.guest_abi));
  NUR_TRY(check_imports(module, abi));
  // From here on the module is well-formed and asks only for what its ABI offers.

  const SharedObject object =
      NUR_TRY(build_module(module, bytes, abi, options, toolchain, interrupt, services));
  // From here on the object is what the host will load; only its place changes.

  if (interrupt.raised()) return fail(ErrorKind::interrupted, "interrupted");
  NUR_TRY(publish_file(options.output, object.bytes));
  return Artefact{options.output, object.bytes.size(), abi};
}

}  // namespace nur
