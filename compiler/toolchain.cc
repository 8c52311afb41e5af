#include "compiler/toolchain.h"

#include <charconv>
#include <cstdlib>
#include <unistd.h>
#include <vector>

namespace nur {
namespace {

bool is_program(const Path& path) { return ::access(path.c_str(), X_OK) == 0; }

Path own_folder() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
}

// A name without a slash is looked for on PATH, anything else is a path.
std::optional<Path> find_named(const std::string& name) {
  if (name.find('/') == std::string::npos) return on_search_path(name);
  std::error_code error;
  const Path path = std::filesystem::absolute(name, error);
  return is_program(path) ? std::optional(path) : std::nullopt;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

Result<std::string> version_of(const Path& tool, const Interrupt& interrupt) {
  Command command;
  command.arguments = {tool.string(), "--version"};
  command.folder = "/";
  command.only_reads = true;
  command.limits.cpu_seconds = 10;
  command.limits.wall = Milliseconds(20'000);
  return first_line(NUR_TRY(run_process(command, interrupt)));
}

const char* from_environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

Result<Tool> find_wasm2c(const std::string& asked, const Interrupt& interrupt) {
  std::string name = asked.empty() ? from_environment("NUR_WASM2C") : asked;
  std::optional<Path> path;
  if (!name.empty()) {
    path = find_named(name);
    if (!path) return fail(ErrorKind::not_found, "no program {} (asked for as wasm2c)", name);
  } else {
    const Path beside = own_folder() / "wasm2c";
    path = is_program(beside) ? std::optional(beside) : on_search_path("wasm2c");
  }
  if (!path) {
    return fail(ErrorKind::not_found,
                "wasm2c not found beside nurc or on PATH; run ./dev setup, or install wabt {} or "
                "newer and name it with --wasm2c",
                kWasm2cOldest);
  }
  const std::string version = NUR_TRY(version_of(*path, interrupt));
  if (!version_at_least(version, kWasm2cOldest)) {
    return fail(ErrorKind::invalid_input,
                "{} is version {}; nurc needs {} or newer (older ones let a module inject C code); "
                "run ./dev setup, or name another with --wasm2c",
                path->string(), version, kWasm2cOldest);
  }
  return Tool{*path, version};
}

Result<Tool> find_compiler(const std::string& asked, const Interrupt& interrupt) {
  std::string name = asked.empty() ? from_environment("NUR_CC") : asked;
  if (name.empty()) name = "g++";
  const std::optional<Path> path = find_named(name);
  if (!path) {
    return fail(ErrorKind::not_found,
                "C compiler {} not found; install it (apt install g++) or "
                "name another with --cc",
                name);
  }
  return Tool{*path, NUR_TRY(version_of(*path, interrupt))};
}

}  // namespace

std::optional<Path> on_search_path(const std::string& name) {
  const char* const variable = std::getenv("PATH");
  std::string_view folders = variable != nullptr ? variable : "/usr/bin:/bin";
  while (true) {
    const std::size_t colon = folders.find(':');
    const Path candidate = Path(folders.substr(0, colon)) / name;
    if (candidate.is_absolute() && is_program(candidate)) return candidate;
    if (colon == std::string_view::npos) return std::nullopt;
    folders.remove_prefix(colon + 1);
  }
}

bool version_at_least(const std::string& version, const std::string& oldest) {
  const auto next = [](std::string_view& text) -> std::optional<unsigned> {
    unsigned number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
    if (text.starts_with('.')) text.remove_prefix(1);
    return number;
  };
  std::string_view a = version;
  std::string_view b = oldest;
  while (const std::optional<unsigned> needed = next(b)) {
    const std::optional<unsigned> got = next(a);
    if (!got || *got < *needed) return false;
    if (*got > *needed) return true;
  }
  return true;
}

CompilerFamily family_of(const std::string& version) {
  return version.find("clang version") != std::string::npos ? CompilerFamily::clang
                                                            : CompilerFamily::gcc;
}

Result<Toolchain> find_toolchain(const ToolchainOptions& options, const Interrupt& interrupt) {
  Toolchain toolchain;
  toolchain.wasm2c = NUR_TRY(find_wasm2c(options.wasm2c, interrupt));
  toolchain.compiler = NUR_TRY(find_compiler(options.compiler, interrupt));
  toolchain.family = family_of(toolchain.compiler.version);

  const std::optional<Path> objcopy = on_search_path("objcopy");
  if (!objcopy) return fail(ErrorKind::not_found, "objcopy not found; apt install binutils");
  toolchain.objcopy = *objcopy;

  const Path beside = toolchain.wasm2c.path.parent_path() / "wat2wasm";
  toolchain.wat2wasm = is_program(beside) ? std::optional(beside) : on_search_path("wat2wasm");
  return toolchain;
}

}  // namespace nur
