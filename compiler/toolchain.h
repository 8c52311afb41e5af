// The programs nurc drives, found once and asked for their versions.
#pragma once

#include <optional>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "compiler/subprocess.h"

namespace nur {

struct Tool {
  Path path;
  std::string version;  // "1.0.36"; of the compiler, its whole first line
};

// Whose options the C compiler takes.
enum class CompilerFamily { gcc, clang };

struct Toolchain {
  Tool wasm2c;
  Tool compiler;
  CompilerFamily family = CompilerFamily::gcc;
  Path objcopy;
  std::optional<Path> wat2wasm;  // only text modules need it
};

struct ToolchainOptions {
  std::string wasm2c;    // path or name; empty: $NUR_WASM2C, beside nurc, then PATH
  std::string compiler;  // path or name; empty: $NUR_CC, then g++
};

// Oldest wasm2c that is run. 1.0.32 and before let names of the module inject C code
// (WebAssembly/wabt pull request 2147).
inline constexpr char kWasm2cOldest[] = "1.0.36";

// Errors: not_found, saying how to get the tool; invalid_input for a wasm2c that is too old.
Result<Toolchain> find_toolchain(const ToolchainOptions& options, const Interrupt& interrupt);

// The program of that name in the first folder of $PATH that has it.
std::optional<Path> on_search_path(const std::string& name);

// By the first line of what a compiler says to --version.
CompilerFamily family_of(const std::string& version);

// "a.b.c" compared number by number; text that is no version is older than all.
bool version_at_least(const std::string& version, const std::string& oldest);

}  // namespace nur
