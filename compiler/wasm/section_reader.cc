#include "compiler/wasm/section_reader.h"

#include <algorithm>

#include "compiler/wasm/text.h"

namespace nur {

Result<std::uint8_t> SectionReader::byte(std::string_view what) {
  const std::optional<std::uint8_t> value = reader_.byte();
  if (!value) [[unlikely]]
    return malformed(offset(), "ends where {} is expected", what);
  return *value;
}

Result<std::uint8_t> SectionReader::peek(std::string_view what) {
  if (at_end()) [[unlikely]]
    return malformed(offset(), "ends where {} is expected", what);
  return static_cast<std::uint8_t>(bytes_[offset() - origin_]);
}

Result<std::uint32_t> SectionReader::u32(std::string_view what) {
  return leb128<std::uint32_t>(what);
}

Result<std::int32_t> SectionReader::s32(std::string_view what) {
  return leb128<std::int32_t>(what);
}

Result<std::int64_t> SectionReader::s64(std::string_view what) {
  return leb128<std::int64_t>(what);
}

Result<std::string_view> SectionReader::take(std::size_t count, std::string_view what) {
  const std::optional<std::string_view> bytes = reader_.take(count);
  if (!bytes) [[unlikely]] {
    return malformed(offset(), "{} has {} bytes, only {} are left", what, count, remaining());
  }
  return *bytes;
}

Result<std::string_view> SectionReader::name(std::string_view what) {
  const std::uint32_t length = NUR_TRY(u32(what));
  const std::size_t start = offset();
  const std::string_view bytes = NUR_TRY(take(length, what));
  if (!is_utf8(bytes)) return malformed(start, "{} is not UTF-8", what);
  return bytes;
}

Result<std::uint32_t> SectionReader::count(std::string_view what) {
  const std::size_t start = offset();
  const std::uint32_t elements = NUR_TRY(u32(what));
  if (elements > remaining()) {
    return malformed(start, "{} is {}, but only {} bytes are left", what, elements, remaining());
  }
  return elements;
}

Result<std::uint32_t> SectionReader::index(std::string_view what, std::size_t size) {
  const std::size_t start = offset();
  const std::uint32_t value = NUR_TRY(u32(what));
  if (value >= size) [[unlikely]] {
    return malformed(start, "{} index {} is out of range, there are {}", what, value, size);
  }
  return value;
}

Result<void> SectionReader::finish() const {
  if (!at_end()) return malformed(offset(), "{} bytes are left over", remaining());
  return {};
}

std::unexpected<Error> SectionReader::over_limit(std::uint64_t found, std::string_view what,
                                                 std::uint64_t limit) const {
  return fail(ErrorKind::limit_exceeded, "{}: {} {}, the limit is {}", section_, found, what,
              limit);
}

std::unexpected<Error> SectionReader::not_leb128(std::string_view what, unsigned bits) const {
  const std::string_view rest = bytes_.substr(offset() - origin_);
  const auto last = std::find_if(rest.begin(), rest.end(),
                                 [](char character) { return (character & 0x80) == 0; });
  const auto length = static_cast<std::size_t>(last - rest.begin()) + 1;
  const std::size_t length_max = (bits + 6) / 7;
  if (length > rest.size() && rest.size() < length_max) {
    return malformed(offset(), "ends inside {}", what);
  }
  if (length > length_max) {
    return malformed(offset(), "{} is encoded in more than {} bytes", what, length_max);
  }
  return malformed(offset(), "{} does not fit in {} bits", what, bits);
}

}  // namespace nur
