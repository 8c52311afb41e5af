// The initial linear memory: data segments applied to zeroed pages, where they lie.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nur {

inline constexpr std::uint64_t kImagePageBytes = 4096;

// Bytes of the initial memory; all that lie in no run are zero.
struct ImageRun {
  std::uint64_t memory_offset = 0;  // a multiple of kImagePageBytes
  std::string bytes;                // their number too
  bool operator==(const ImageRun&) const = default;
};

class MemoryImage {
 public:
  explicit MemoryImage(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // Later writes replace earlier ones. Errors: limit_exceeded when more than bytes_max bytes of
  // pages would be kept.
  Result<void> write(std::uint64_t offset, std::string_view bytes);

  // Pages with a byte other than zero, neighbours joined, by offset. Leaves the image empty.
  std::vector<ImageRun> take_runs();

 private:
  using Page = std::array<char, kImagePageBytes>;

  std::uint64_t bytes_max_;
  std::map<std::uint64_t, std::unique_ptr<Page>> pages_;  // by page number
};

}  // namespace nur
