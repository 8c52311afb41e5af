// Objects of units compiled before, in a folder, found by what went into them.
//
//   FOLDER/3f/9a...   "nur-object-v1" NUL NUL NUL | SHA-256 of the object | the object
//
// An entry is written beside its place and renamed, and one that is cut short or damaged is as good
// as none. So several nurc may share a folder, and none has to wait for another. Whoever can write
// to the folder decides what code is linked: it must be writable by its owner alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace nur {

class ObjectCache {
 public:
  static constexpr std::uint64_t kBytesMax = std::uint64_t{2} << 30;

  // Makes the folder where it is missing. `bytes_max` is what trim() leaves.
  // Errors: invalid_input when the folder is another user's or others may write to it; those of
  // making it.
  static Result<ObjectCache> open(const Path& folder, std::uint64_t bytes_max = kBytesMax);

  // `key` is lower-case hex of at least 8 digits.
  [[nodiscard]] std::optional<std::string> find(std::string_view key) const;

  // What cannot be kept (a full disk) is not kept, and nobody is told.
  void store(std::string_view key, std::string_view object) const;

  // Removes what was not used for longest, until the rest fits.
  void trim() const;

  [[nodiscard]] const Path& folder() const { return folder_; }

 private:
  ObjectCache(Path folder, std::uint64_t bytes_max)
      : folder_(std::move(folder)), bytes_max_(bytes_max) {}
  [[nodiscard]] Path path_of(std::string_view key) const;

  Path folder_;
  std::uint64_t bytes_max_;
};

}  // namespace nur
