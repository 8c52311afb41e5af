#include "compiler/options.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include <CLI/CLI.hpp>

#include "base/version.h"
#include "compiler/limits.h"

namespace nur {
namespace {

constexpr char kExitCodes[] =
    "\nExit codes: 0 done; 1 a module or file was refused; 2 wrong usage; 3 a tool failed on a\n"
    "module it should take; 130 interrupted.\n";

struct RawCompile {
  std::vector<std::string> inputs;
  std::string output;
  std::string abi = "auto";
  std::string target_cpu = "x86-64-v2";
  int optimisation = 2;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  std::string cache;
  bool no_cache = false;
  bool strip = false;
  bool profile_generate = false;
  std::vector<std::string> profiles;
  bool verbose = false;
};

// Where objects are kept when nobody says: as the XDG base directory specification has it. Empty
// when there is no such place.
std::string default_cache() {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return std::string(cache) + "/nurc";
  const char* const home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.cache/nurc";
  return "";
}

void add_toolchain_options(CLI::App& app, ToolchainOptions& toolchain) {
  app.add_option("--wasm2c", toolchain.wasm2c,
                 "wasm2c to use, 1.0.36 or newer (default: beside nurc, then PATH)")
      ->envname("NUR_WASM2C")
      ->type_name("PATH");
  app.add_option("--cc", toolchain.compiler,
                 "C compiler to use: g++ or clang++, of any version (default: g++)")
      ->envname("NUR_CC")
      ->type_name("PATH");
}

// Where an artefact goes: hello.wasm -> hello.so beside it, or in the folder -o names.
Path output_of(const Path& input, const std::string& asked, bool is_folder) {
  Path name = input.filename();
  name.replace_extension(".so");
  if (asked.empty()) return input.parent_path() / name;
  return is_folder ? Path(asked) / name : Path(asked);
}

Result<CompileCommand> checked(const RawCompile& raw, const ToolchainOptions& toolchain) {
  CompileCommand command;
  command.jobs = raw.jobs;
  const std::string cache = raw.cache.empty() ? default_cache() : raw.cache;
  if (!raw.no_cache && !cache.empty()) command.cache = cache;
  command.verbose = raw.verbose;
  command.toolchain = toolchain;

  std::error_code ignored;
  const bool is_folder =
      raw.output.ends_with('/') || std::filesystem::is_directory(raw.output, ignored);
  if (raw.inputs.size() > 1 && !raw.output.empty() && !is_folder) {
    return fail(ErrorKind::invalid_input, "-o {}: several modules need a folder; write -o {}/",
                raw.output, raw.output);
  }
  if (raw.profile_generate && !raw.profiles.empty()) {
    return fail(ErrorKind::invalid_input,
                "--profile-generate and --profile-use: one makes what the other takes; give one");
  }
  if (raw.inputs.size() > 1 && !raw.profiles.empty()) {
    return fail(ErrorKind::invalid_input,
                "--profile-use: a profile is of one module; compile them "
                "one by one");
  }
  if (is_folder) std::filesystem::create_directories(raw.output, ignored);

  const CpuLevel target_cpu =
      raw.target_cpu == "native" ? cpu_level_here() : cpu_level_from(raw.target_cpu).value();
  if (target_cpu < CpuLevel::v2) {
    return fail(ErrorKind::invalid_input,
                "--target-cpu native: this machine has {}, artefacts need x86-64-v2 or newer",
                to_string(target_cpu));
  }

  std::set<Path> outputs;
  for (const std::string& input : raw.inputs) {
    CompileOptions options;
    options.input = input;
    options.output = output_of(input, raw.output, is_folder);
    if (raw.abi != "auto") options.guest_abi = guest_abi_from(raw.abi);
    options.build.optimisation = raw.optimisation;
    options.build.target_cpu = target_cpu;
    options.build.strip = raw.strip;
    if (raw.profile_generate) options.build.profile = ProfileMode::generate;
    if (!raw.profiles.empty()) options.build.profile = ProfileMode::use;
    options.profiles.assign(raw.profiles.begin(), raw.profiles.end());
    options.nurc_version = kVersion;
    if (!outputs.insert(options.output).second) {
      return fail(ErrorKind::invalid_input,
                  "two modules would both become {}; compile them to "
                  "different folders",
                  options.output.string());
    }
    command.modules.push_back(std::move(options));
  }
  return command;
}

}  // namespace

NurcCommand parse_nurc_options(int argc, const char* const* argv) {
  CLI::App app{
      "nurc compiles WebAssembly modules ahead of time into native shared objects that\n"
      "nurhost serves.\n\n"
      "  nurc compile hello.wasm            writes hello.so\n"
      "  nurc compile *.wasm -o functions/  writes functions/NAME.so, side by side\n"
      "  nurc inspect hello.so              shows what is inside",
      "nurc"};
  app.footer(kExitCodes);
  app.require_subcommand(0, 1);

  ToolchainOptions toolchain;
  bool version = false;
  app.add_flag("--version", version, "Print the versions of nurc, wasm2c and the C compiler");
  add_toolchain_options(app, toolchain);

  RawCompile raw;
  CLI::App* const compile = app.add_subcommand("compile", "Compile modules into artefacts");
  compile->footer(limits_text() + kExitCodes);
  compile->fallthrough();
  compile->add_option("FILES", raw.inputs, "Modules: .wasm, or .wat (text)")->required();
  compile
      ->add_option("-o,--output", raw.output,
                   "File, or folder (ending in /, or there already); default: beside the module")
      ->type_name("PATH");
  compile
      ->add_option("--abi", raw.abi, "How the function is called; auto: by its imports and exports")
      ->check(CLI::IsMember({"auto", "nur", "wasi", "handle", "typed"}))
      ->capture_default_str();
  compile->add_option("-O,--optimise", raw.optimisation, "Optimisation level of the C compiler")
      ->check(CLI::Range(0, 3))
      ->capture_default_str();
  compile
      ->add_option("--target-cpu", raw.target_cpu,
                   "Oldest CPU the artefact runs on; the host checks it")
      ->check(CLI::IsMember({"x86-64-v2", "x86-64-v3", "x86-64-v4", "native"}))
      ->capture_default_str();
  compile->add_option("-j,--jobs", raw.jobs, "Compilers that run side by side")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  compile
      ->add_option("--cache", raw.cache,
                   "Folder that keeps the objects of parts compiled before, up to 2 GiB\n"
                   "(default: nurc below $XDG_CACHE_HOME or ~/.cache)")
      ->envname("NUR_CACHE")
      ->type_name("DIR");
  compile->add_flag("--no-cache", raw.no_cache, "Compile everything anew and keep nothing");
  compile->add_flag("--strip", raw.strip,
                    "Leave out the table that names functions when a trap is reported");
  compile->add_flag("--profile-generate", raw.profile_generate,
                    "Make an artefact that counts what it does, for nurhost --profile");
  compile
      ->add_option("--profile-use", raw.profiles,
                   "Compile for what was counted; several files add up")
      ->type_name("FILE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  compile->add_flag("-v,--verbose", raw.verbose,
                    "Say what each module became, and how the tools behind nurc are fenced");

  InspectCommand inspect_command;
  std::vector<std::string> inspect_files;
  bool json = false;
  CLI::App* const inspect =
      app.add_subcommand("inspect", "Show what is inside artefacts or modules");
  inspect->footer(kExitCodes);
  inspect->add_option("FILES", inspect_files, "Artefacts (.so) or modules (.wasm)")->required();
  inspect->add_flag("--json", json, "Print the manifest as JSON");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      const CLI::App* const asked = compile->parsed()   ? compile
                                    : inspect->parsed() ? inspect
                                                        : &app;
      return PrintAndExit{asked->help(), 0};
    }
    return usage_error("nurc", error.what());
  }

  if (version) return VersionCommand{toolchain};
  if (compile->parsed()) {
    Result<CompileCommand> command = checked(raw, toolchain);
    if (!command) return usage_error("nurc", command.error().message);
    return *std::move(command);
  }
  if (inspect->parsed()) {
    inspect_command.files.assign(inspect_files.begin(), inspect_files.end());
    inspect_command.format = json ? InspectFormat::json : InspectFormat::text;
    return inspect_command;
  }
  return PrintAndExit{app.help(), 2};
}

}  // namespace nur
