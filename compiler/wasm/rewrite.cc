#include "compiler/wasm/rewrite.h"

#include "compiler/wasm/import_policy.h"
#include "compiler/wasm/module_writer.h"

namespace nur {
namespace {

constexpr std::uint64_t kWasmPageBytes = 65'536;

// Where an active segment goes. Errors: invalid_input when it depends on an imported global.
Result<std::uint32_t> offset_of(const std::optional<ConstantExpression>& offset,
                                std::string_view kind, std::size_t index) {
  if (!offset || !offset->value) {
    return fail(ErrorKind::invalid_input,
                "{} segment {}: its offset depends on an imported global, and nur offers none",
                kind, index);
  }
  return static_cast<std::uint32_t>(offset->value->low);
}

Result<void> check_element_segments(const WasmModule& module) {
  for (std::size_t index = 0; index < module.element_segments.size(); ++index) {
    const ElementSegment& segment = module.element_segments[index];
    if (segment.mode != SegmentMode::active) continue;
    const std::uint64_t offset = NUR_TRY(offset_of(segment.offset, "element", index));
    const std::uint64_t entries = module.tables[segment.table].entries.initial;
    if (offset + segment.count > entries) {
      return fail(ErrorKind::invalid_input,
                  "element segment {} reaches past table {} (offset {}, size {}, table {} "
                  "entries): the module would trap when instantiated",
                  index, segment.table, offset, segment.count, entries);
    }
  }
  return {};
}

Result<std::vector<ImageRun>> image_of(const WasmModule& module, const ModuleLimits& limits) {
  MemoryImage image(limits.image_bytes);
  for (std::size_t index = 0; index < module.data_segments.size(); ++index) {
    const DataSegment& segment = module.data_segments[index];
    if (segment.mode != SegmentMode::active) continue;
    const std::uint64_t offset = NUR_TRY(offset_of(segment.offset, "data", index));
    const std::uint64_t memory = module.memories[0].pages.initial * kWasmPageBytes;
    if (offset + segment.bytes.size() > memory) {
      return fail(ErrorKind::invalid_input,
                  "data segment {} reaches past the initial memory (offset {}, size {}, memory {} "
                  "bytes): the module would trap when instantiated",
                  index, offset, segment.bytes.size(), memory);
    }
    NUR_TRY(image.write(offset, segment.bytes));
  }
  return image.take_runs();
}

std::string numbered(const char* prefix, std::uint32_t number) {
  return fmt::format("{}{}", prefix, number);
}

std::string import_section(const WasmModule& module) {
  SectionWriter section;
  section.u32(module.imported_functions);
  for (std::uint32_t function = 0; function < module.imported_functions; ++function) {
    section.name(kImportModule)
        .name(numbered(kImportPrefix, function))
        .byte(static_cast<std::uint8_t>(ExternalKind::function))
        .u32(module.functions[function]);
  }
  return section.payload();
}

std::string memory_section(const WasmMemory& memory) {
  SectionWriter section;
  section.u32(1).byte(memory.pages.max ? 1 : 0).u32(memory.pages.initial);
  if (memory.pages.max) section.u32(*memory.pages.max);
  return section.payload();
}

// Nothing when there is nothing to export.
std::optional<std::string> export_section(const WasmModule& module) {
  SectionWriter entries;
  std::uint32_t exported = 0;
  const auto add = [&entries](std::string_view name, std::uint32_t function) {
    entries.name(name).byte(static_cast<std::uint8_t>(ExternalKind::function)).u32(function);
  };
  for (const WasmExport& found : module.exports) {
    if (found.kind != ExternalKind::function) continue;
    add(numbered(kExportPrefix, exported), found.index);
    ++exported;
  }
  if (module.start) {
    add(kStartExport, *module.start);
    ++exported;
  }
  if (exported == 0) return std::nullopt;
  return SectionWriter().u32(exported).bytes(entries.payload()).payload();
}

std::string data_section(const WasmModule& module) {
  // Active, at i32.const 0, empty.
  constexpr std::string_view kEmptySegment("\x00\x41\x00\x0b\x00", 5);
  constexpr std::uint8_t kPassive = 1;
  SectionWriter section;
  section.u32(static_cast<std::uint32_t>(module.data_segments.size()));
  for (const DataSegment& segment : module.data_segments) {
    if (segment.mode == SegmentMode::active) {
      section.bytes(kEmptySegment);
    } else {
      section.byte(kPassive).name(segment.bytes);
    }
  }
  return section.payload();
}

std::string write_module(const WasmModule& module) {
  ModuleWriter writer;
  // These hold types, indices, numbers and instructions: no names.
  const auto copy = [&](SectionId id) {
    const auto& payload = module.sections[static_cast<std::size_t>(id)];
    if (payload) writer.section(id, *payload);
  };
  copy(SectionId::type);
  if (module.imported_functions > 0) writer.section(SectionId::import, import_section(module));
  copy(SectionId::function);
  copy(SectionId::table);
  if (!module.memories.empty()) {
    writer.section(SectionId::memory, memory_section(module.memories[0]));
  }
  copy(SectionId::global);
  if (const auto exports = export_section(module)) writer.section(SectionId::export_, *exports);
  copy(SectionId::element);
  copy(SectionId::data_count);
  copy(SectionId::code);
  if (!module.data_segments.empty()) writer.section(SectionId::data, data_section(module));
  return std::move(writer).take();
}

}  // namespace

Result<RewrittenModule> rewrite(const WasmModule& module, const ModuleLimits& limits) {
  NUR_TRY(check_import_kinds(module));
  NUR_TRY(check_element_segments(module));
  RewrittenModule rewritten;
  rewritten.image = NUR_TRY(image_of(module, limits));
  rewritten.bytes = write_module(module);
  return rewritten;
}

}  // namespace nur
