// Writes the binary format (specification 5.2 and 5.5), always in its shortest encoding.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "compiler/wasm/wasm_module.h"

namespace nur {

// Contents of one section.
class SectionWriter {
 public:
  SectionWriter& byte(std::uint8_t value);
  SectionWriter& u32(std::uint32_t value);
  SectionWriter& bytes(std::string_view value);  // as they are
  SectionWriter& name(std::string_view value);   // with their length
  [[nodiscard]] const std::string& payload() const { return payload_; }

 private:
  std::string payload_;
};

class ModuleWriter {
 public:
  ModuleWriter();
  // Sections come in the order of the specification; the caller sees to it.
  void section(SectionId id, std::string_view payload);
  std::string take() && { return std::move(module_); }

 private:
  std::string module_;
};

}  // namespace nur
