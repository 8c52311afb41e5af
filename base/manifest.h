// The manifest: what an artefact says about itself, as JSON in an ELF note (docs/artefact.md).
//
// nurc writes it, nurhost reads it before it maps any code, `nurc inspect` prints it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nur {

// Number types and reference types of WebAssembly 2.0 (spec 2.3.1-2.3.4).
enum class ValueType : std::uint8_t { i32, i64, f32, f64, v128, funcref, externref };

std::string_view to_string(ValueType type);
std::optional<ValueType> value_type_from(std::string_view name);

struct FunctionType {
  std::vector<ValueType> parameters;
  std::vector<ValueType> results;
  bool operator==(const FunctionType&) const = default;
};

// "(i32, i64) -> i32", "() -> ()".
std::string to_string(const FunctionType& type);

// How a function is called (docs/guest-abi.md).
enum class GuestAbi {
  nur,     // stream: exports poll_stream and alloc, may import nur.*
  wasi,    // command: exports _start, may import wasi_snapshot_preview1.*
  handle,  // exports functions () -> () that answer by calls of env.*
  typed,   // exports functions over numbers
};

std::string_view to_string(GuestAbi abi);
std::optional<GuestAbi> guest_abi_from(std::string_view name);

enum class ExternalKind { function, table, memory, global };
std::string_view to_string(ExternalKind kind);

struct ManifestImport {
  std::string module;
  std::string name;
  FunctionType type;  // only functions are imported; an imported memory becomes the module's own
  bool operator==(const ManifestImport&) const = default;
};

struct ManifestExport {
  std::string name;
  ExternalKind kind = ExternalKind::function;
  FunctionType type;  // of functions
  // Index into nur_module.exports (functions only).
  std::uint32_t entry = 0;
  bool operator==(const ManifestExport&) const = default;
};

struct MemoryLimits {
  std::uint32_t initial_pages = 0;  // of 64 KiB
  std::uint32_t max_pages = 65536;  // 65,536 when the module declares none
  bool imported = false;            // the module expected its host to supply it
  bool operator==(const MemoryLimits&) const = default;
};

struct TableLimits {
  ValueType element = ValueType::funcref;
  std::uint32_t initial = 0;
  std::uint32_t capacity = 0;  // entries an instance has room for
  bool operator==(const TableLimits&) const = default;
};

// x86-64 micro-architecture levels (x86-64 psABI, section 3.1.1).
enum class CpuLevel { v1 = 1, v2 = 2, v3 = 3, v4 = 4 };
std::string_view to_string(CpuLevel level);  // "x86-64-v2"
std::optional<CpuLevel> cpu_level_from(std::string_view name);
// Highest level this machine has.
CpuLevel cpu_level_here();

struct Manifest {
  std::uint32_t abi_version = 0;
  GuestAbi guest_abi = GuestAbi::typed;
  std::string wasm_sha256;  // of the module as it was given, lower-case hex
  std::vector<ManifestImport> imports;
  std::vector<ManifestExport> exports;
  std::optional<MemoryLimits> memory;
  std::vector<TableLimits> tables;
  bool has_start = false;
  CpuLevel target_cpu = CpuLevel::v2;
  std::string nurc_version;
  std::string wasm2c_version;
  std::string compiler;           // "g++ (Debian 12.2.0-14) 12.2.0"
  std::string flags;              // what the compiler was given
  bool stripped = false;          // without the table of functions (--strip)
  bool profile_generate = false;  // counts what it does (docs/profile.md)
  std::string profile_used;       // SHA-256 of the counts it was compiled with, or empty
  // What nurc would have refused, by name; empty in artefacts that do not say.
  std::map<std::string, std::uint64_t> limits;

  bool operator==(const Manifest&) const = default;

  [[nodiscard]] const ManifestExport* find_function(std::string_view name) const;
  [[nodiscard]] bool imports_function(std::string_view module, std::string_view name) const;
};

// Deterministic: keys in a fixed order, two spaces of indentation.
std::string to_json(const Manifest& manifest);

// Longest manifest that is parsed, and how deep its objects and arrays may nest (today: 4).
inline constexpr std::size_t kManifestBytesMax = std::size_t{8} << 20;
inline constexpr std::size_t kManifestDepthMax = 16;

// Unknown keys are ignored. Whatever the text holds, this neither throws nor recurses.
// Errors: invalid_input, naming the key that is missing, of the wrong type or out of range.
Result<Manifest> manifest_from_json(std::string_view json);

// The version alone, for texts whose other keys may follow the rules of another version.
// Errors: invalid_input.
Result<std::uint32_t> abi_version_from_json(std::string_view json);

}  // namespace nur
