// Types as the binary format encodes them (specification 5.3).
#pragma once

#include <cstdint>
#include <optional>

#include "base/manifest.h"
#include "base/result.h"
#include "compiler/wasm/features.h"
#include "compiler/wasm/limits.h"
#include "compiler/wasm/section_reader.h"

namespace nur {

// Size limits of a memory (in pages of 64 KiB) or a table (in entries).
struct SizeLimits {
  std::uint32_t initial = 0;
  std::optional<std::uint32_t> max;
};

// Errors of all: invalid_input when malformed or of a refused feature; limit_exceeded.
Result<ValueType> read_value_type(SectionReader& reader, FeatureSet& features);
Result<ValueType> read_reference_type(SectionReader& reader, FeatureSet& features);
// What follows ref.null: funcref or externref.
Result<ValueType> read_heap_type(SectionReader& reader, FeatureSet& features);
Result<FunctionType> read_function_type(SectionReader& reader, const ModuleLimits& limits,
                                        FeatureSet& features);
Result<SizeLimits> read_memory_limits(SectionReader& reader, const ModuleLimits& limits);
Result<SizeLimits> read_table_limits(SectionReader& reader, const ModuleLimits& limits);

}  // namespace nur
