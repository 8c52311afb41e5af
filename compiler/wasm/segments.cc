#include "compiler/wasm/segments.h"

#include "compiler/wasm/constant.h"
#include "compiler/wasm/value_types.h"

namespace nur {
namespace {

// Bits of the number before an element segment.
constexpr std::uint32_t kNotActive = 0x01;
constexpr std::uint32_t kExplicit = 0x02;  // active: a table index; otherwise: declarative
constexpr std::uint32_t kExpressions = 0x04;
constexpr std::uint32_t kFlagsMax = 0x07;

constexpr std::uint8_t kFunctionElements = 0x00;  // the only element kind

Result<void> read_elements(SectionReader& reader, const ModuleLimits& limits, bool expressions,
                           WasmModule& module, ElementSegment& segment) {
  segment.count = NUR_TRY(reader.count("number of elements"));
  if (segment.count > limits.element_entries) {
    return reader.over_limit(segment.count, "entries of an element segment",
                             limits.element_entries);
  }
  for (std::uint32_t entry = 0; entry < segment.count; ++entry) {
    if (expressions) {
      NUR_TRY(read_constant(reader, limits, module, segment.type));
    } else {
      module.declare_reference(NUR_TRY(reader.index("function", module.functions.size())));
    }
  }
  return {};
}

Result<ElementSegment> read_element_segment(SectionReader& reader, const ModuleLimits& limits,
                                            WasmModule& module) {
  const std::size_t at = reader.offset();
  const std::uint32_t flags = NUR_TRY(reader.u32("kind of element segment"));
  if (flags > kFlagsMax) return reader.malformed(at, "unknown kind {} of element segment", flags);
  const bool expressions = (flags & kExpressions) != 0;

  ElementSegment segment;
  if (flags & kNotActive) {
    segment.mode = (flags & kExplicit) ? SegmentMode::declarative : SegmentMode::passive;
    module.features.add((flags & kExplicit) ? Feature::reference_types : Feature::bulk_memory);
  } else {
    if (flags & kExplicit) {
      segment.table = NUR_TRY(reader.index("table", module.tables.size()));
    } else if (module.tables.empty()) {
      return reader.malformed(at, "an active element segment, and the module has no table");
    }
    segment.offset = NUR_TRY(read_constant(reader, limits, module, ValueType::i32));
  }

  if ((flags & (kNotActive | kExplicit)) != 0) {
    if (expressions) {
      segment.type = NUR_TRY(read_reference_type(reader, module.features));
    } else {
      const std::size_t kind_at = reader.offset();
      const std::uint8_t kind = NUR_TRY(reader.byte("element kind"));
      if (kind != kFunctionElements) {
        return reader.malformed(kind_at, "unknown element kind {:#04x}", kind);
      }
    }
  }
  if (expressions) module.features.add(Feature::reference_types);
  NUR_TRY(read_elements(reader, limits, expressions, module, segment));
  return segment;
}

Result<DataSegment> read_data_segment(SectionReader& reader, const ModuleLimits& limits,
                                      WasmModule& module) {
  constexpr std::uint32_t kPassive = 1;
  constexpr std::uint32_t kWithMemoryIndex = 2;
  const std::size_t at = reader.offset();
  const std::uint32_t flags = NUR_TRY(reader.u32("kind of data segment"));
  if (flags > kWithMemoryIndex) {
    return reader.malformed(at, "unknown kind {} of data segment", flags);
  }

  DataSegment segment;
  if (flags == kPassive) {
    segment.mode = SegmentMode::passive;
    module.features.add(Feature::bulk_memory);
  } else {
    if (flags == kWithMemoryIndex && NUR_TRY(reader.u32("memory index")) != 0) {
      return refuse_feature(Feature::multi_memory, "data segment of memory other than 0", at);
    }
    if (module.memories.empty()) {
      return reader.malformed(at, "an active data segment, and the module has no memory");
    }
    segment.offset = NUR_TRY(read_constant(reader, limits, module, ValueType::i32));
  }
  const std::uint32_t size = NUR_TRY(reader.u32("size of a data segment"));
  segment.bytes = NUR_TRY(reader.take(size, "data segment"));
  return segment;
}

}  // namespace

Result<void> read_element_section(SectionReader& reader, const ModuleLimits& limits,
                                  WasmModule& module) {
  const std::uint32_t count = NUR_TRY(reader.count("number of element segments"));
  if (count > limits.element_segments) {
    return reader.over_limit(count, "element segments", limits.element_segments);
  }
  module.element_segments.reserve(count);
  for (std::uint32_t index = 0; index < count; ++index) {
    module.element_segments.push_back(NUR_TRY(read_element_segment(reader, limits, module)));
  }
  return reader.finish();
}

Result<std::uint32_t> read_data_count_section(SectionReader& reader, const ModuleLimits& limits) {
  const std::uint32_t count = NUR_TRY(reader.u32("number of data segments"));
  if (count > limits.data_segments) {
    return reader.over_limit(count, "data segments", limits.data_segments);
  }
  NUR_TRY(reader.finish());
  return count;
}

Result<void> read_data_section(SectionReader& reader, std::optional<std::uint32_t> data_count,
                               const ModuleLimits& limits, WasmModule& module) {
  const std::size_t at = reader.offset();
  const std::uint32_t count = NUR_TRY(reader.count("number of data segments"));
  if (count > limits.data_segments) {
    return reader.over_limit(count, "data segments", limits.data_segments);
  }
  if (data_count && *data_count != count) {
    return reader.malformed(at, "{} segments, the data count section says {}", count, *data_count);
  }
  module.data_segments.reserve(count);
  for (std::uint32_t index = 0; index < count; ++index) {
    module.data_segments.push_back(NUR_TRY(read_data_segment(reader, limits, module)));
  }
  return reader.finish();
}

}  // namespace nur
