// The pipeline of one module: hello.wasm -> WasmModule -> CSources -> SharedObject -> hello.so.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/manifest.h"
#include "base/result.h"
#include "compiler/build_object.h"
#include "compiler/subprocess.h"
#include "compiler/toolchain.h"
#include "compiler/wasm/wasm_module.h"

namespace nur {

struct CompileOptions {
  Path input;                         // .wasm, or .wat
  Path output;                        // the artefact
  std::optional<GuestAbi> guest_abi;  // recognised when not given
  BuildOptions build;
  std::vector<Path> profiles;  // to compile with, when build.profile is `use`
  std::string nurc_version;
};

// A published file.
struct Artefact {
  Path path;
  std::size_t bytes = 0;
  GuestAbi guest_abi = GuestAbi::typed;
};

// Nothing is left behind but the artefact, and that only when all of it is there.
// Errors: not_found and invalid_input for the input; limit_exceeded; exhausted (disk full);
// internal when a tool fails on a module it should take; interrupted.
Result<Artefact> compile(const CompileOptions& options, const Toolchain& toolchain,
                         const Interrupt& interrupt, const BuildServices& services = {});

// The stages of compile() behind the import policy, up to the artefact's bytes: `module` is what
// read_module made of `bytes`, and imports functions only. Errors: those of compile.
Result<SharedObject> build_module(const WasmModule& module, std::string_view bytes, GuestAbi abi,
                                  const CompileOptions& options, const Toolchain& toolchain,
                                  const Interrupt& interrupt, const BuildServices& services = {});

// The bytes of a module, from binary or text. Errors: those of compile.
Result<std::string> read_wasm(const Path& input, const Toolchain& toolchain,
                              const Interrupt& interrupt);

}  // namespace nur
