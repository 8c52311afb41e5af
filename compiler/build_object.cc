#include "compiler/build_object.h"

#include "base/artefact_file.h"
#include "base/elf_rules.h"
#include "base/file.h"
#include "compiler/compile_units.h"

namespace nur {
namespace {

Result<void> link_object(const Path& folder, const std::vector<std::string>& objects,
                         const BuildOptions& options, const Toolchain& toolchain,
                         const Interrupt& interrupt) {
  Command command;
  command.folder = folder;
  command.arguments = {toolchain.compiler.path.string(),
                       "-shared",
                       "-nostdlib",
                       "-nostartfiles",
                       "-Wl,-z,now,-z,relro,-z,noexecstack,-z,defs,-z,separate-code",
                       "-Wl,--hash-style=sysv,--build-id=sha1,-Bsymbolic,"
                       "--no-ld-generated-unwind-info",
                       "-Wl,--undefined=nur_module",
                       "-o",
                       "linked.so"};
  // Nothing refers to the list of counters, so it would go with what nobody calls.
  if (options.profile != ProfileMode::generate) command.arguments.push_back("-Wl,--gc-sections");
  command.arguments.insert(command.arguments.end(), objects.begin(), objects.end());
  command.arguments.push_back("sections.s");
  NUR_TRY(run_trusted_process(command, interrupt));
  return {};
}

// Takes the symbols out and puts the tables of functions and counters in, which no segment covers.
Result<void> strip_object(const Path& folder, const BuildOptions& options,
                          const Toolchain& toolchain, const Interrupt& interrupt) {
  Command command;
  command.folder = folder;
  command.arguments = {toolchain.objcopy.string(), "--strip-all"};
  if (!options.strip) {
    command.arguments.push_back(fmt::format("--add-section={}=functions.bin", kFunctionsSection));
  }
  if (options.profile == ProfileMode::generate) {
    command.arguments.push_back(fmt::format("--add-section={}=profile.bin", kProfileSection));
  }
  command.arguments.insert(command.arguments.end(), {"linked.so", "stripped.so"});
  NUR_TRY(run_trusted_process(command, interrupt));
  return {};
}

}  // namespace

Result<SharedObject> build_object(const CSources& sources, const FunctionNames& names,
                                  const BuildOptions& options, const ProfileIdentity& identity,
                                  const Toolchain& toolchain, const Interrupt& interrupt,
                                  const BuildServices& services) {
  const Path& folder = sources.folder;
  const std::vector<std::string> objects =
      NUR_TRY(compile_units(sources, options, toolchain, interrupt, services));
  const auto slot = services.take_slot();
  NUR_TRY(link_object(folder, objects, options, toolchain, interrupt));

  const std::string linked = NUR_TRY(read_output(folder / "linked.so", kArtefactBytesMax));
  if (!options.strip) {
    std::vector<NativeFunction> functions = NUR_TRY(native_functions(linked, names));
    NUR_TRY(write_file(folder / "functions.bin", encode_function_table(std::move(functions))));
  }
  if (options.profile == ProfileMode::generate) {
    const ProfileTable table = NUR_TRY(profile_table(linked, identity, sources));
    NUR_TRY(write_file(folder / "profile.bin", encode_profile_table(table)));
  }
  NUR_TRY(strip_object(folder, options, toolchain, interrupt));

  std::string stripped = NUR_TRY(read_output(folder / "stripped.so", kArtefactBytesMax));
  std::string artefact = seal(std::move(stripped));
  // The target may be a level this machine has not; every other rule must hold.
  const auto verified = verify_elf(artefact, CpuLevel::v4);
  if (!verified) {
    return fail(ErrorKind::internal, "the object that was built breaks the rule {}: {}",
                to_string(verified.error().rule), verified.error().detail);
  }
  return SharedObject{std::move(artefact)};
}

}  // namespace nur
