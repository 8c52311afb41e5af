// Preamble and sections in their order; what is in each section: sections.cc, segments.cc,
// code_scan.cc, name_section.cc.
#include "compiler/wasm/wasm_module.h"

#include <algorithm>

#include "compiler/wasm/code_scan.h"
#include "compiler/wasm/name_section.h"
#include "compiler/wasm/section_reader.h"
#include "compiler/wasm/sections.h"
#include "compiler/wasm/segments.h"

namespace nur {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMagic = "\0asm"sv;
constexpr std::string_view kModuleVersion = "\1\0\0\0"sv;
constexpr std::string_view kComponentLayer = "\1\0"sv;  // in the place of a version's upper half
constexpr std::uint8_t kTagSection = 13;

constexpr std::string_view kSectionNames[kSectionCount] = {
    "custom", "type",  "import",  "function", "table", "memory",     "global",
    "export", "start", "element", "code",     "data",  "data count",
};

std::string section_name(std::uint8_t id) { return fmt::format("{} section", kSectionNames[id]); }

// Place in the order of sections: data count stands between element and code.
int place_of(SectionId id) {
  switch (id) {
    case SectionId::data_count:
      return 10;
    case SectionId::code:
      return 11;
    case SectionId::data:
      return 12;
    default:
      return static_cast<int>(id);
  }
}

class ModuleReader {
 public:
  ModuleReader(std::string_view bytes, const ModuleLimits& limits)
      : bytes_(bytes), limits_(limits), reader_(bytes, 0, "module") {}

  Result<WasmModule> read() {
    if (bytes_.size() > limits_.module_bytes) {
      return reader_.over_limit(bytes_.size(), "bytes", limits_.module_bytes);
    }
    NUR_TRY(preamble());
    while (!reader_.at_end()) NUR_TRY(section());
    NUR_TRY(finish());
    return std::move(module_);
  }

 private:
  Result<void> preamble() {
    if (!bytes_.starts_with(kMagic)) {
      return reader_.malformed(0, "not a WebAssembly module, which starts with \\0asm");
    }
    NUR_TRY(reader_.take(kMagic.size(), "magic"));
    const std::size_t at = reader_.offset();
    const std::string_view version = NUR_TRY(reader_.take(kModuleVersion.size(), "version"));
    if (version.substr(2) == kComponentLayer) {
      return fail(ErrorKind::invalid_input,
                  "module is a component, not a core module; nur runs core modules: build for a "
                  "target such as wasm32-wasip1, or take the core module out of the component");
    }
    if (version != kModuleVersion) {
      return reader_.malformed(
          at, "version {:#04x} {:#04x} {:#04x} {:#04x}, expected 1",
          static_cast<std::uint8_t>(version[0]), static_cast<std::uint8_t>(version[1]),
          static_cast<std::uint8_t>(version[2]), static_cast<std::uint8_t>(version[3]));
    }
    return {};
  }

  Result<void> section() {
    const std::size_t at = reader_.offset();
    const std::uint8_t id = NUR_TRY(reader_.byte("section"));
    if (id == kTagSection) return refuse_feature(Feature::exceptions, "tag section", at);
    if (id >= kSectionCount) return reader_.malformed(at, "unknown section {}", id);

    const std::uint32_t size = NUR_TRY(reader_.u32("size of a section"));
    const std::size_t start = reader_.offset();
    const std::string_view payload = NUR_TRY(reader_.take(size, section_name(id)));
    SectionReader section(payload, start, section_name(id));
    if (id == static_cast<std::uint8_t>(SectionId::custom)) return custom(section, payload);

    const auto known = static_cast<SectionId>(id);
    if (module_.sections[id]) return section.malformed(at, "is there twice");
    if (place_of(known) < place_) return section.malformed(at, "is out of order");
    place_ = place_of(known);
    module_.sections[id] = payload;
    return contents(known, section);
  }

  Result<void> contents(SectionId id, SectionReader& section) {
    switch (id) {
      case SectionId::custom:
        return {};
      case SectionId::type:
        return read_type_section(section, limits_, module_);
      case SectionId::import:
        return read_import_section(section, limits_, module_);
      case SectionId::function:
        return read_function_section(section, limits_, module_);
      case SectionId::table:
        return read_table_section(section, limits_, module_);
      case SectionId::memory:
        return read_memory_section(section, limits_, module_);
      case SectionId::global:
        return read_global_section(section, limits_, module_);
      case SectionId::export_:
        return read_export_section(section, limits_, module_);
      case SectionId::start:
        return read_start_section(section, module_);
      case SectionId::element:
        return read_element_section(section, limits_, module_);
      case SectionId::code:
        return code(section);
      case SectionId::data:
        return read_data_section(section, data_count_, limits_, module_);
      case SectionId::data_count:
        module_.features.add(Feature::bulk_memory);
        data_count_ = NUR_TRY(read_data_count_section(section, limits_));
        return {};
    }
    return {};
  }

  Result<void> custom(SectionReader& section, std::string_view payload) {
    const std::string_view name = NUR_TRY(section.name("name of a custom section"));
    if (name == "name" && !names_) {
      names_ = payload.substr(payload.size() - section.remaining());
    }
    return {};
  }

  [[nodiscard]] std::size_t defined_functions() const {
    return module_.functions.size() - module_.imported_functions;
  }

  Result<void> code(SectionReader& section) {
    const std::size_t at = section.offset();
    const std::uint32_t count = NUR_TRY(section.count("number of function bodies"));
    if (count != defined_functions()) {
      return section.malformed(at, "{} function bodies, the function section declares {}", count,
                               defined_functions());
    }
    module_.bodies.reserve(count);
    CodeScanner scanner(module_, data_count_, limits_, module_.features);
    for (std::uint32_t index = 0; index < count; ++index) {
      FunctionBody body;
      const std::uint32_t size = NUR_TRY(section.u32("size of a function body"));
      body.offset = section.offset();
      body.bytes = NUR_TRY(section.take(size, "function body"));
      NUR_TRY(scanner.scan(module_.imported_functions + index, body));
      module_.bodies.push_back(body);
    }
    return section.finish();
  }

  // What only shows when every section was seen.
  Result<void> finish() {
    if (module_.bodies.size() != defined_functions()) {
      return reader_.malformed(bytes_.size(), "no code section, the function section declares {}",
                               defined_functions());
    }
    if (data_count_ && *data_count_ != module_.data_segments.size()) {
      return reader_.malformed(bytes_.size(), "no data section, the data count section says {}",
                               *data_count_);
    }
    if (names_) {
      ModuleNames names = read_names(*names_, module_.functions.size());
      module_.name = names.module;
      module_.function_names = std::move(names.functions);
    }
    return {};
  }

  std::string_view bytes_;
  const ModuleLimits& limits_;
  SectionReader reader_;
  WasmModule module_;
  int place_ = 0;
  std::optional<std::uint32_t> data_count_;
  std::optional<std::string_view> names_;
};

}  // namespace

const WasmExport* WasmModule::find_export(std::string_view export_name) const {
  const auto found = std::find_if(exports.begin(), exports.end(), [&](const WasmExport& entry) {
    return entry.name == export_name;
  });
  return found == exports.end() ? nullptr : &*found;
}

void WasmModule::declare_reference(std::uint32_t function) {
  if (declared_references_.size() <= function) declared_references_.resize(functions.size());
  declared_references_[function] = true;
}

bool WasmModule::is_reference_declared(std::uint32_t function) const {
  return function < declared_references_.size() && declared_references_[function];
}

Result<WasmModule> read_module(std::string_view bytes, const ModuleLimits& limits) {
  return ModuleReader(bytes, limits).read();
}

}  // namespace nur
