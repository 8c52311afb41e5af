#include "compiler/wasm/name_section.h"

#include "base/result.h"
#include "compiler/wasm/section_reader.h"

namespace nur {
namespace {

enum class Subsection : std::uint8_t { module = 0, functions = 1 };

Result<void> read_function_names(SectionReader& reader, std::size_t function_count,
                                 ModuleNames& names) {
  const std::uint32_t count = NUR_TRY(reader.count("number of function names"));
  std::uint64_t next = 0;
  for (std::uint32_t entry = 0; entry < count; ++entry) {
    const std::size_t at = reader.offset();
    const std::uint32_t index = NUR_TRY(reader.u32("function index"));
    const std::string_view name = NUR_TRY(reader.name("function name"));
    if (index < next) return reader.malformed(at, "function indices do not ascend");
    next = std::uint64_t{index} + 1;
    if (index < function_count) names.functions.emplace_back(index, name);
  }
  return reader.finish();
}

Result<ModuleNames> read_all(std::string_view payload, std::size_t function_count) {
  ModuleNames names;
  SectionReader reader(payload, 0, "name section");
  int previous = -1;
  while (!reader.at_end()) {
    const std::size_t at = reader.offset();
    const std::uint8_t id = NUR_TRY(reader.byte("subsection"));
    if (id <= previous) return reader.malformed(at, "subsections out of order");
    previous = id;
    const std::uint32_t size = NUR_TRY(reader.u32("size of a subsection"));
    const std::size_t start = reader.offset();
    SectionReader subsection(NUR_TRY(reader.take(size, "subsection")), start, "name section");
    if (id == static_cast<std::uint8_t>(Subsection::module)) {
      names.module = NUR_TRY(subsection.name("module name"));
      NUR_TRY(subsection.finish());
    } else if (id == static_cast<std::uint8_t>(Subsection::functions)) {
      NUR_TRY(read_function_names(subsection, function_count, names));
    }
  }
  return names;
}

}  // namespace

ModuleNames read_names(std::string_view payload, std::size_t function_count) {
  return read_all(payload, function_count).value_or(ModuleNames{});
}

}  // namespace nur
