// Reads the primitive values of the binary format (WebAssembly specification, chapter 5.2) from one
// section or function body; every failure is an error that says where and what.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace nur {

class SectionReader {
 public:
  // `bytes` starts at `origin` in the module. `section` opens error messages: "type section",
  // "code section: function 12".
  SectionReader(std::string_view bytes, std::size_t origin, std::string section)
      : bytes_(bytes), origin_(origin), reader_(bytes, origin), section_(std::move(section)) {}

  // In the module.
  [[nodiscard]] std::size_t offset() const { return reader_.offset(); }
  [[nodiscard]] std::size_t remaining() const { return reader_.remaining(); }
  [[nodiscard]] bool at_end() const { return reader_.at_end(); }

  // In all that follow `what` names the value in the error: "type index". Errors: invalid_input.
  Result<std::uint8_t> byte(std::string_view what);
  // The next byte, left where it is.
  Result<std::uint8_t> peek(std::string_view what);
  Result<std::uint32_t> u32(std::string_view what);
  Result<std::int32_t> s32(std::string_view what);
  Result<std::int64_t> s64(std::string_view what);
  Result<std::string_view> take(std::size_t count, std::string_view what);
  // A length and that many bytes of UTF-8.
  Result<std::string_view> name(std::string_view what);
  // The length of a vector, every element of which takes at least a byte: it cannot exceed what is
  // left, and may be used to reserve memory once it is held against a limit.
  Result<std::uint32_t> count(std::string_view what);
  // An index of `what` below `size`.
  Result<std::uint32_t> index(std::string_view what, std::size_t size);

  // Fails unless everything was read.
  Result<void> finish() const;

  // "at offset 0x1a3: type section: ...".
  template <class... Args>
  std::unexpected<Error> malformed(std::size_t at, fmt::format_string<Args...> format,
                                   Args&&... args) const {
    return fail(ErrorKind::invalid_input, "at offset {:#x}: {}: {}", at, section_,
                fmt::format(format, std::forward<Args>(args)...));
  }
  // "type section: 1000001 types, the limit is 1000000".
  std::unexpected<Error> over_limit(std::uint64_t found, std::string_view what,
                                    std::uint64_t limit) const;

 private:
  template <class T>
  Result<T> leb128(std::string_view what) {
    const std::optional<T> value = reader_.leb128<T>();
    if (!value) [[unlikely]]
      return not_leb128(what, sizeof(T) * 8);
    return *value;
  }
  [[nodiscard]] std::unexpected<Error> not_leb128(std::string_view what, unsigned bits) const;

  std::string_view bytes_;
  std::size_t origin_;
  ByteReader reader_;
  std::string section_;
};

}  // namespace nur
