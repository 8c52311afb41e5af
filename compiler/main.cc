// nurc: see options.cc for what it takes. Turns errors into exit codes; all work is elsewhere.
#include <algorithm>
#include <cstdio>

#include "base/version.h"
#include "compiler/compile_all.h"
#include "compiler/fence.h"
#include "compiler/object_cache.h"
#include "compiler/options.h"
#include "compiler/progress_bar.h"
#include "compiler/unit_key.h"

namespace nur {
namespace {

int exit_code_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::invalid_input:
    case ErrorKind::not_found:
    case ErrorKind::limit_exceeded:
      return 1;
    case ErrorKind::exhausted:
    case ErrorKind::internal:
      return 3;
    case ErrorKind::interrupted:
      return 130;
  }
  return 3;
}

int complain(const Error& error) {
  fmt::print(stderr, "nurc: {}\n", error.message);
  return exit_code_of(error);
}

int run(const CompileCommand& command) {
  const Result<Interrupt> interrupt = Interrupt::listen();
  if (!interrupt) return complain(interrupt.error());
  const Result<Toolchain> toolchain = find_toolchain(command.toolchain, *interrupt);
  if (!toolchain) return complain(toolchain.error());

  std::optional<ObjectCache> cache;
  if (command.cache) {
    Result<ObjectCache> opened = ObjectCache::open(*command.cache);
    if (!opened) return complain(opened.error());
    cache = *std::move(opened);
  }
  JobSlots slots(command.jobs);
  ProgressBar progress;
  const BuildServices services{&slots, cache ? &*cache : nullptr,
                               cache ? compiler_identity(*toolchain, *interrupt) : "", &progress};

  if (command.verbose) {
    fmt::print(stderr, "tools run {}\n", Fence::of_this_machine().description());
  }
  // The worst thing that happened decides; one refused module does not stop the others.
  int exit_code = 0;
  compile_all(command.modules, *toolchain, *interrupt, services,
              [&](const CompileOptions& options, const Result<Artefact>& result) {
                progress.make_room();
                if (!result) {
                  const int code =
                      complain({result.error().kind, fmt::format("{}: {}", options.input.string(),
                                                                 result.error().message)});
                  exit_code = std::max(exit_code, code);
                } else if (command.verbose) {
                  fmt::print(stderr, "{} -> {} ({}, {} bytes)\n", options.input.string(),
                             result->path.string(), to_string(result->guest_abi), result->bytes);
                }
              });
  if (cache) cache->trim();
  if (command.verbose) {
    progress.make_room();
    fmt::print(stderr, "{} units compiled, {} more taken from {}\n",
               progress.units() - progress.units_from_cache(), progress.units_from_cache(),
               cache ? cache->folder().string() : "no cache");
  }
  return interrupt->raised() ? 130 : exit_code;
}

int run(const InspectCommand& command) {
  int exit_code = 0;
  bool first = true;
  for (const Path& file : command.files) {
    const Result<std::string> text = inspect(file, command.format);
    if (!text) {
      exit_code = std::max(exit_code, complain(text.error()));
      continue;
    }
    fmt::print("{}{}", first ? "" : "\n", *text);
    first = false;
  }
  return exit_code;
}

int run(const VersionCommand& command) {
  const Result<Interrupt> interrupt = Interrupt::listen();
  if (!interrupt) return complain(interrupt.error());
  fmt::print("nurc {}\n", kVersion);
  const Result<Toolchain> toolchain = find_toolchain(command.toolchain, *interrupt);
  if (!toolchain) return complain(toolchain.error());
  fmt::print("wasm2c {}\ncompiler {}\n", toolchain->wasm2c.version, toolchain->compiler.version);
  return 0;
}

int run(const PrintAndExit& command) { return print(command); }

}  // namespace
}  // namespace nur

int main(int argc, char** argv) {
  const nur::NurcCommand command = nur::parse_nurc_options(argc, argv);
  return std::visit([](const auto& chosen) { return nur::run(chosen); }, command);
}
