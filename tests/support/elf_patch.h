// Changes single fields of an ELF file that the linker would never write the wrong way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <elf.h>
#include <stdexcept>
#include <string>

namespace nur::test {

class ElfPatch {
 public:
  explicit ElfPatch(std::string elf) : elf_(std::move(elf)) {}

  [[nodiscard]] const std::string& bytes() const { return elf_; }

  template <class T>
  [[nodiscard]] T read(std::size_t offset) const {
    T value;
    std::memcpy(&value, elf_.substr(offset, sizeof value).data(), sizeof value);
    return value;
  }
  template <class T>
  void write(std::size_t offset, const T& value) {
    elf_.replace(offset, sizeof value, reinterpret_cast<const char*>(&value), sizeof value);
  }

  // `change` is given the structure and may alter it.
  template <class Change>
  void header(Change change) {
    alter<Elf64_Ehdr>(0, change);
  }
  // The `nth` program header of `type`.
  template <class Change>
  void segment(std::uint32_t type, std::size_t nth, Change change) {
    alter<Elf64_Phdr>(segment_offset(type, nth), change);
  }
  // The dynamic entry with `tag`.
  template <class Change>
  void dynamic(std::int64_t tag, Change change) {
    alter<Elf64_Dyn>(dynamic_offset(tag), change);
  }
  template <class Change>
  void symbol(std::size_t index, Change change) {
    alter<Elf64_Sym>(table(DT_SYMTAB) + index * sizeof(Elf64_Sym), change);
  }
  template <class Change>
  void relocation(std::size_t index, Change change) {
    alter<Elf64_Rela>(table(DT_RELA) + index * sizeof(Elf64_Rela), change);
  }

  [[nodiscard]] Elf64_Phdr segment(std::uint32_t type, std::size_t nth = 0) const {
    return read<Elf64_Phdr>(segment_offset(type, nth));
  }
  // File offset of the table that `tag` points to. The tables lie in the first segment, where
  // offset and address are the same.
  [[nodiscard]] std::size_t table(std::int64_t tag) const {
    return read<Elf64_Dyn>(dynamic_offset(tag)).d_un.d_ptr;
  }

 private:
  template <class T, class Change>
  void alter(std::size_t offset, Change change) {
    T value = read<T>(offset);
    change(value);
    write(offset, value);
  }

  [[nodiscard]] std::size_t segment_offset(std::uint32_t type, std::size_t nth) const {
    const auto header = read<Elf64_Ehdr>(0);
    for (std::size_t i = 0; i < header.e_phnum; ++i) {
      const std::size_t offset = header.e_phoff + i * sizeof(Elf64_Phdr);
      if (read<Elf64_Phdr>(offset).p_type == type && nth-- == 0) return offset;
    }
    throw std::runtime_error("no such segment");
  }

  [[nodiscard]] std::size_t dynamic_offset(std::int64_t tag) const {
    const Elf64_Phdr dynamic = segment(PT_DYNAMIC);
    for (std::size_t at = 0; at < dynamic.p_filesz; at += sizeof(Elf64_Dyn)) {
      if (read<Elf64_Dyn>(dynamic.p_offset + at).d_tag == tag) return dynamic.p_offset + at;
    }
    throw std::runtime_error("no such dynamic tag");
  }

  std::string elf_;
};

}  // namespace nur::test
