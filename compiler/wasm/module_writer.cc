#include "compiler/wasm/module_writer.h"

namespace nur {

SectionWriter& SectionWriter::byte(std::uint8_t value) {
  payload_.push_back(static_cast<char>(value));
  return *this;
}

SectionWriter& SectionWriter::u32(std::uint32_t value) {
  while (value >= 0x80) {
    byte(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  return byte(static_cast<std::uint8_t>(value));
}

SectionWriter& SectionWriter::bytes(std::string_view value) {
  payload_.append(value);
  return *this;
}

SectionWriter& SectionWriter::name(std::string_view value) {
  return u32(static_cast<std::uint32_t>(value.size())).bytes(value);
}

ModuleWriter::ModuleWriter() : module_("\0asm\1\0\0\0", 8) {}

void ModuleWriter::section(SectionId id, std::string_view payload) {
  SectionWriter header;
  header.byte(static_cast<std::uint8_t>(id)).u32(static_cast<std::uint32_t>(payload.size()));
  module_.append(header.payload()).append(payload);
}

}  // namespace nur
