#include "compiler/inspect.h"

#include "base/artefact_file.h"
#include "base/elf_rules.h"
#include "base/function_table.h"
#include "base/log.h"
#include "base/units.h"
#include "compiler/wasm/describe.h"
#include "compiler/wasm/import_policy.h"
#include "compiler/wasm/wasm_module.h"

namespace nur {
namespace {

void add_line(std::string& text, std::string_view key, std::string_view value) {
  if (!value.empty()) text += fmt::format("{:<12} {}\n", key, value);
}

std::string pages_text(const MemoryLimits& memory) {
  return fmt::format(
      "{} to start with, {} at most{}", format_size(std::uint64_t{memory.initial_pages} * 65536),
      format_size(std::uint64_t{memory.max_pages} * 65536), memory.imported ? " (imported)" : "");
}

std::string describe_as_text(const Manifest& manifest, std::string_view kind, const Path& file,
                             std::size_t bytes, std::string_view functions) {
  std::string text;
  add_line(text, "file", fmt::format("{} ({}, {} bytes)", file.string(), kind, bytes));
  add_line(text, "abi", to_string(manifest.guest_abi));
  if (manifest.abi_version != 0)
    add_line(text, "abi version", std::to_string(manifest.abi_version));
  add_line(text, "wasm sha256", manifest.wasm_sha256);
  if (manifest.memory) add_line(text, "memory", pages_text(*manifest.memory));
  for (const TableLimits& table : manifest.tables) {
    add_line(text, "table",
             fmt::format("{} entries of {}, room for {}", table.initial, to_string(table.element),
                         table.capacity));
  }
  for (const ManifestImport& import : manifest.imports) {
    add_line(text, "import",
             fmt::format("{}.{} {}", printable(import.module, 256), printable(import.name, 256),
                         to_string(import.type)));
  }
  for (const ManifestExport& exported : manifest.exports) {
    const bool function = exported.kind == ExternalKind::function;
    add_line(
        text, "export",
        fmt::format("{} {}", printable(exported.name, 256),
                    function ? to_string(exported.type) : std::string(to_string(exported.kind))));
  }
  if (manifest.has_start) add_line(text, "start", "yes");
  if (!manifest.nurc_version.empty()) {
    add_line(text, "target cpu", to_string(manifest.target_cpu));
    add_line(text, "nurc", manifest.nurc_version);
    add_line(text, "wasm2c", manifest.wasm2c_version);
    add_line(text, "compiler", manifest.compiler);
    add_line(text, "flags", manifest.flags);
  }
  if (manifest.profile_generate) add_line(text, "profile", "counts what it does, and is slower");
  if (!manifest.profile_used.empty()) {
    add_line(text, "profile", fmt::format("used, sha256 {}", manifest.profile_used));
  }
  add_line(text, "functions", functions);
  return text;
}

// What an artefact can tell of a trap.
std::string describe_functions(std::string_view artefact) {
  const std::string_view section =
      find_section(artefact.substr(0, artefact.size() - kSealBytes), kFunctionsSection);
  if (section.empty()) return "not named in traps (--strip)";
  const Result<FunctionTable> table = FunctionTable::read(section);
  if (!table) return table.error().message;
  return fmt::format("{} named in traps ({} bytes)", table->wasm_functions(), section.size());
}

Result<Manifest> manifest_of_artefact(std::string_view bytes) {
  auto verified = verify_elf(bytes, CpuLevel::v4);
  if (!verified) {
    return fail(ErrorKind::invalid_input, "breaks the rule {}: {}",
                to_string(verified.error().rule), verified.error().detail);
  }
  return std::move(verified->manifest);
}

Result<Manifest> manifest_of_module(std::string_view bytes) {
  const WasmModule module = NUR_TRY(read_module(bytes));
  const GuestAbi abi = NUR_TRY(recognise_abi(module, std::nullopt));
  Manifest manifest = describe(module, abi);
  manifest.wasm_sha256 = to_hex(sha256(bytes));
  return manifest;
}

}  // namespace

Result<std::string> inspect(const Path& file, InspectFormat format) {
  const std::string bytes = NUR_TRY(read_file(file, kArtefactBytesMax));
  const bool is_elf = bytes.starts_with("\177ELF");
  const bool is_module = bytes.starts_with(std::string_view("\0asm", 4));
  if (!is_elf && !is_module) {
    return fail(ErrorKind::invalid_input,
                "{} is neither an artefact (.so made by nurc compile) nor a WebAssembly module; "
                "text modules are compiled with nurc compile first",
                file.string());
  }
  const Manifest manifest = NUR_TRY(
      in_context(is_elf ? manifest_of_artefact(bytes) : manifest_of_module(bytes), file.string()));
  if (format == InspectFormat::json) return to_json(manifest) + "\n";
  return describe_as_text(manifest, is_elf ? "artefact" : "module", file, bytes.size(),
                          is_elf ? describe_functions(bytes) : "");
}

}  // namespace nur
