// Whether a file is still the one that was read.
#pragma once

#include <cstdint>
#include <optional>

#include "base/file.h"

namespace nur {

struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;  // of the inode, which nobody can set
  // It had not been written to for a while. A file may be written to twice within one tick of the
  // clock that stamps it, so only of one that rests is the same identity the same content.
  bool rests = false;

  // nullopt when there is no such file.
  static std::optional<FileIdentity> of(const Path& file);
  [[nodiscard]] bool is_same_as(const FileIdentity& other) const;
  // The same file with the same content.
  [[nodiscard]] bool is_surely(const FileIdentity& other) const;
};

}  // namespace nur
