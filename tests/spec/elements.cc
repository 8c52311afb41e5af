#include "tests/spec/elements.h"

namespace nur::spec {

// Specification 5.5.12: bit 0 passive or declarative, bit 1 an explicit table (or declarative),
// bit 2 expressions instead of indices.
Result<std::string> copy_elements(SectionReader section, const CopyExpression& copy_expression,
                                  const MapFunction& map_function) {
  const std::uint32_t count = NUR_TRY(section.u32("count"));
  SectionWriter elements;
  elements.u32(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t flags = NUR_TRY(section.u32("flags"));
    const bool active = (flags & 1) == 0;
    elements.u32(flags);
    if (active && (flags & 2) != 0) elements.u32(NUR_TRY(section.u32("table")));
    if (active) NUR_TRY(copy_expression(section, elements));
    if ((flags & 3) != 0) elements.byte(NUR_TRY(section.byte("kind or type")));
    const std::uint32_t entries = NUR_TRY(section.u32("count"));
    elements.u32(entries);
    for (std::uint32_t entry = 0; entry < entries; ++entry) {
      if ((flags & 4) != 0) {
        NUR_TRY(copy_expression(section, elements));
      } else {
        elements.u32(map_function(NUR_TRY(section.u32("function"))));
      }
    }
  }
  return elements.payload();
}

}  // namespace nur::spec
