// Walks the instructions of function bodies (specification 5.4 and 5.5.13) and checks their
// structure: opcodes, immediates, nesting, indices. Operand types are left to wasm2c.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "compiler/wasm/limits.h"
#include "compiler/wasm/opcodes.h"
#include "compiler/wasm/section_reader.h"
#include "compiler/wasm/wasm_module.h"

namespace nur {

class CodeScanner {
 public:
  // `module` has every section before the code section, and `data_count` when there is a data count
  // section; both, `limits` and `features` outlive the scanner.
  CodeScanner(const WasmModule& module, std::optional<std::uint32_t> data_count,
              const ModuleLimits& limits, FeatureSet& features)
      : module_(module), data_count_(data_count), limits_(limits), features_(features) {}

  // Checks the body of `function` and fills in its locals. Errors: invalid_input; limit_exceeded.
  Result<void> scan(std::uint32_t function, FunctionBody& body);

 private:
  enum class Frame : std::uint8_t { block, if_, else_ };

  Result<std::uint32_t> declared_locals(SectionReader& reader, std::size_t parameters);
  Result<void> instructions(SectionReader& reader);
  Result<void> immediates(SectionReader& reader, Instruction instruction, std::size_t at);
  Result<void> enter(SectionReader& reader, Frame frame);
  Result<void> label_table(SectionReader& reader, std::size_t at);
  Result<void> select_types(SectionReader& reader, std::size_t at);
  Result<void> memory_access(SectionReader& reader, std::size_t at);
  Result<void> memory(SectionReader& reader, std::size_t at);
  Result<void> data_segment(SectionReader& reader, std::size_t at);
  Result<void> lane(SectionReader& reader, std::uint8_t lanes);
  [[nodiscard]] Result<void> has_memory(const SectionReader& reader, std::size_t at) const;

  const WasmModule& module_;
  std::optional<std::uint32_t> data_count_;
  const ModuleLimits& limits_;
  FeatureSet& features_;
  // Of the function being scanned.
  std::uint64_t local_count_ = 0;
  std::vector<Frame> open_;  // blocks, the function's own first
};

}  // namespace nur
