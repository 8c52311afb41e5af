// A WebAssembly module as nurc understands it: the binary format (specification, chapter 5) read
// into one value, every byte of it checked.
//
// It is what stands between hostile bytes and the tools behind it. Structure is checked in full:
// encodings, sizes, order, counts, indices, nesting, constants, limits, and features that nur does
// not run. The types of instructions are not: wasm2c validates those itself, on bytes that this
// reader found well-formed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/manifest.h"
#include "base/result.h"
#include "compiler/wasm/constant.h"
#include "compiler/wasm/features.h"
#include "compiler/wasm/limits.h"
#include "compiler/wasm/value_types.h"

namespace nur {

enum class SectionId : std::uint8_t {
  custom = 0,
  type = 1,
  import = 2,
  function = 3,
  table = 4,
  memory = 5,
  global = 6,
  export_ = 7,
  start = 8,
  element = 9,
  code = 10,
  data = 11,
  data_count = 12,
};
inline constexpr std::size_t kSectionCount = 13;

struct WasmImport {
  std::string_view module;
  std::string_view name;
  ExternalKind kind = ExternalKind::function;
  std::uint32_t index = 0;  // in the index space of its kind
};

struct WasmTable {
  ValueType element = ValueType::funcref;
  SizeLimits entries;
  bool imported = false;
};

struct WasmMemory {
  SizeLimits pages;
  bool imported = false;
};

struct WasmGlobal {
  ValueType type = ValueType::i32;
  bool is_mutable = false;
  // Nothing when it is imported.
  std::optional<ConstantExpression> initializer;
};

struct WasmExport {
  std::string_view name;
  ExternalKind kind = ExternalKind::function;
  std::uint32_t index = 0;
};

enum class SegmentMode { active, passive, declarative };

struct ElementSegment {
  SegmentMode mode = SegmentMode::active;
  std::uint32_t table = 0;                   // of active ones
  std::optional<ConstantExpression> offset;  // of active ones; an i32
  ValueType type = ValueType::funcref;
  std::uint32_t count = 0;
};

struct DataSegment {
  SegmentMode mode = SegmentMode::active;
  std::optional<ConstantExpression> offset;  // of active ones; an i32
  std::string_view bytes;
};

struct FunctionBody {
  std::size_t offset = 0;    // in the module
  std::string_view bytes;    // declarations of locals and instructions
  std::uint32_t locals = 0;  // declared ones, without parameters
};

// All views are into the bytes given to read_module and live as long as they do.
struct WasmModule {
  std::vector<FunctionType> types;
  std::vector<WasmImport> imports;
  // Index spaces, imported ones first.
  std::vector<std::uint32_t> functions;  // the index of each one's type
  std::vector<WasmTable> tables;
  std::vector<WasmMemory> memories;  // one at most
  std::vector<WasmGlobal> globals;
  std::uint32_t imported_functions = 0;

  std::vector<WasmExport> exports;
  std::optional<std::uint32_t> start;  // function index; its type is () -> ()
  std::vector<ElementSegment> element_segments;
  std::vector<DataSegment> data_segments;
  std::vector<FunctionBody> bodies;  // of functions[imported_functions] and on

  // From the name section, as far as there is a well-formed one.
  std::string_view name;
  std::vector<std::pair<std::uint32_t, std::string_view>> function_names;  // by index, ascending

  FeatureSet features;
  // Contents of the sections other than custom ones, by SectionId, as they are in the input.
  std::array<std::optional<std::string_view>, kSectionCount> sections;

  // `function` is below functions.size().
  [[nodiscard]] const FunctionType& type_of(std::uint32_t function) const {
    return types[functions[function]];
  }
  [[nodiscard]] const WasmExport* find_export(std::string_view export_name) const;

  // Functions that occur outside function bodies, which is what makes them known to ref.func inside
  // (specification 3.4.10, C.refs).
  void declare_reference(std::uint32_t function);
  [[nodiscard]] bool is_reference_declared(std::uint32_t function) const;

 private:
  std::vector<bool> declared_references_;  // by function, as far as there are any
};

// Errors: invalid_input, "at offset 0x1a3: type section: ..." or "uses tail calls (...)";
// limit_exceeded, naming what is too large.
Result<WasmModule> read_module(std::string_view bytes, const ModuleLimits& limits = {});

}  // namespace nur
