#include "compiler/build_object.h"

#include "base/artefact_file.h"
#include "base/elf_rules.h"
#include "base/file.h"

namespace nur {
namespace {

// Nothing here may be left out without running the spec suite again (docs/ARCHITECTURE.md).
constexpr std::string_view kConformanceFlags[] = {
    "-fno-optimize-sibling-calls",  // a deep recursion must end as a stack overflow
    "-frounding-math",              // no folding that depends on the rounding mode
    "-fsignaling-nans",             // NaNs are quietened where wasm says so
    "-ffp-contract=off",            // a*b+c is two roundings
    "-fno-math-errno",              // sqrt and friends are instructions
    "-fno-strict-aliasing",         // linear memory is bytes
    "-fwrapv",                      // pointer and signed arithmetic of generated code wraps
};

constexpr std::string_view kSandboxFlags[] = {
    "-fPIC",
    "-fvisibility=hidden",
    "-fno-plt",
    "-fno-stack-protector",      // its canary is thread-local
    "-fstack-clash-protection",  // no frame steps over the guard pages
    "-fno-asynchronous-unwind-tables",
    "-fno-ident",
    "-ffunction-sections",
    "-fno-tree-loop-distribute-patterns",  // memset must not become a call of memset
    "-frandom-seed=nur",
};

std::vector<std::string> flag_list(const BuildOptions& options) {
  std::vector<std::string> flags{"-std=gnu11", fmt::format("-O{}", options.optimisation),
                                 fmt::format("-march={}", to_string(options.target_cpu))};
  for (const std::string_view flag : kConformanceFlags) flags.emplace_back(flag);
  for (const std::string_view flag : kSandboxFlags) flags.emplace_back(flag);
  return flags;
}

// wasm2c has taken the module: what a tool refuses from here on is no fault of the module's.
Result<void> compile_unit(const Path& folder, const std::string& source, const std::string& object,
                          const BuildOptions& options, const Toolchain& toolchain,
                          const Interrupt& interrupt) {
  Command command;
  command.folder = folder;
  // Warnings are for people who write code; here only errors matter.
  command.arguments = {toolchain.compiler.path.string(), "-x", "c", "-w", "-DNDEBUG", "-I."};
  for (std::string& flag : flag_list(options)) command.arguments.push_back(std::move(flag));
  command.arguments.push_back("-ffile-prefix-map=" + folder.string() + "=.");
  command.arguments.insert(command.arguments.end(), {"-c", source, "-o", object});
  NUR_TRY(run_trusted_process(command, interrupt));
  return {};
}

Result<void> link_object(const Path& folder, const Toolchain& toolchain,
                         const Interrupt& interrupt) {
  Command command;
  command.folder = folder;
  command.arguments = {toolchain.compiler.path.string(),
                       "-shared",
                       "-nostdlib",
                       "-nostartfiles",
                       "-Wl,-z,now,-z,relro,-z,noexecstack,-z,defs,-z,separate-code",
                       "-Wl,--hash-style=sysv,--build-id=sha1,-Bsymbolic,--gc-sections,"
                       "--no-ld-generated-unwind-info",
                       "-Wl,--undefined=nur_module",
                       "-o",
                       "linked.so",
                       "m.o",
                       "entry.o",
                       "sections.s"};
  NUR_TRY(run_trusted_process(command, interrupt));
  return {};
}

// Takes the symbols out and puts the list of functions in, which no segment covers.
Result<void> strip_object(const Path& folder, const Toolchain& toolchain,
                          const Interrupt& interrupt) {
  Command command;
  command.folder = folder;
  command.arguments = {toolchain.objcopy.string(), "--strip-all",
                       fmt::format("--add-section={}=functions.bin", kFunctionsSection),
                       "linked.so", "stripped.so"};
  NUR_TRY(run_trusted_process(command, interrupt));
  return {};
}

}  // namespace

std::string compiler_flags(const BuildOptions& options) {
  std::string text;
  for (const std::string& flag : flag_list(options)) text += (text.empty() ? "" : " ") + flag;
  return text;
}

Result<SharedObject> build_object(const CSources& sources, const FunctionNames& names,
                                  const BuildOptions& options, const Toolchain& toolchain,
                                  const Interrupt& interrupt) {
  const Path& folder = sources.folder;
  NUR_TRY(compile_unit(folder, "m.c", "m.o", options, toolchain, interrupt));
  NUR_TRY(compile_unit(folder, "entry.c", "entry.o", options, toolchain, interrupt));
  NUR_TRY(link_object(folder, toolchain, interrupt));

  const std::string linked = NUR_TRY(read_output(folder / "linked.so", kArtefactBytesMax));
  const std::vector<FunctionRange> ranges = NUR_TRY(function_ranges(linked, names));
  NUR_TRY(write_file(folder / "functions.bin", encode_function_ranges(ranges)));
  NUR_TRY(strip_object(folder, toolchain, interrupt));

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
