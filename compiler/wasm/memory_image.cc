#include "compiler/wasm/memory_image.h"

#include <algorithm>
#include <utility>

namespace nur {
namespace {

bool all_zero(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

}  // namespace

Result<void> MemoryImage::write(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::uint64_t number = offset / kImagePageBytes;
    const std::uint64_t within = offset % kImagePageBytes;
    const std::string_view chunk = bytes.substr(0, kImagePageBytes - within);
    auto found = pages_.find(number);
    // Zeros need no page unless there is something to overwrite.
    if (found != pages_.end() || !all_zero(chunk)) {
      if (found == pages_.end()) {
        if ((pages_.size() + 1) * kImagePageBytes > bytes_max_) {
          return fail(ErrorKind::limit_exceeded,
                      "data segments fill more than {} bytes of 4 KiB pages of initial memory, "
                      "which is the limit",
                      bytes_max_);
        }
        found = pages_.emplace(number, std::make_unique<Page>()).first;
      }
      std::copy(chunk.begin(), chunk.end(),
                found->second->begin() + static_cast<std::ptrdiff_t>(within));
    }
    offset += chunk.size();
    bytes.remove_prefix(chunk.size());
  }
  return {};
}

std::vector<ImageRun> MemoryImage::take_runs() {
  std::vector<ImageRun> runs;
  while (!pages_.empty()) {
    // Each page is given back as soon as it is copied: image and runs do not add up.
    const auto first = pages_.extract(pages_.begin());
    const std::string_view page(first.mapped()->data(), kImagePageBytes);
    if (all_zero(page)) continue;
    const std::uint64_t offset = first.key() * kImagePageBytes;
    if (runs.empty() || runs.back().memory_offset + runs.back().bytes.size() != offset) {
      runs.push_back({offset, std::string()});
    }
    runs.back().bytes.append(page);
  }
  return runs;
}

}  // namespace nur
