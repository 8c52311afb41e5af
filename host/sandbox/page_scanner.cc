#include "host/sandbox/page_scanner.h"

#include <array>
#include <cstdint>
#include <fcntl.h>
#include <span>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/file.h"

namespace nur {
namespace {

// include/uapi/linux/fs.h of Linux 6.7, which Debian 12's headers do not have yet.
struct Region {
  std::uint64_t begin;
  std::uint64_t end;
  std::uint64_t categories;
};
struct ScanArguments {
  std::uint64_t size;
  std::uint64_t flags;
  std::uint64_t begin;
  std::uint64_t end;
  std::uint64_t walk_end;
  std::uint64_t regions;
  std::uint64_t region_count;
  std::uint64_t pages_max;
  std::uint64_t category_inverted;
  std::uint64_t category_mask;
  std::uint64_t category_any_of;
  std::uint64_t return_mask;
};
constexpr std::uint64_t kIsFile = 1 << 2;
constexpr std::uint64_t kIsPresent = 1 << 3;
constexpr std::uint64_t kIsSwapped = 1 << 4;
constexpr std::uint64_t kIsZeroPage = 1 << 5;

const unsigned long kPagemapScan = _IOWR('f', 16, ScanArguments);

}  // namespace

Result<PageScanner> PageScanner::open() {
  Fd pagemap(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  if (!pagemap.is_open()) {
    return fail(ErrorKind::not_found, "{}", system_error_text("opening /proc/self/pagemap"));
  }
  PageScanner scanner(std::move(pagemap));
  // One page that is written, one that is not.
  alignas(kPageBytes) static std::array<std::byte, kPageBytes> probe;
  probe[0] = std::byte{1};
  std::vector<PageRun> runs;
  if (!scanner.find_written(probe.data(), 1, 1, runs) || runs.size() != 1) {
    return fail(ErrorKind::not_found, "this kernel has no PAGEMAP_SCAN (Linux 6.7)");
  }
  return scanner;
}

bool PageScanner::find_written(const std::byte* begin, std::size_t pages, std::size_t found_max,
                               std::vector<PageRun>& runs) const {
  runs.clear();
  const auto from = reinterpret_cast<std::uintptr_t>(begin);
  std::array<Region, 64> regions;
  ScanArguments scan{};
  scan.size = sizeof scan;
  scan.begin = from;
  scan.end = from + pages * kPageBytes;
  scan.regions = reinterpret_cast<std::uintptr_t>(regions.data());
  scan.region_count = regions.size();
  scan.category_inverted = kIsFile | kIsZeroPage;
  scan.category_mask = kIsFile | kIsZeroPage;
  scan.category_any_of = kIsPresent | kIsSwapped;
  scan.return_mask = kIsPresent | kIsSwapped;
  std::size_t found = 0;
  while (scan.begin < scan.end) {
    const int count = ::ioctl(pagemap_.get(), kPagemapScan, &scan);
    if (count < 0) return false;
    for (const Region& region : std::span(regions).first(static_cast<std::size_t>(count))) {
      const PageRun run{(region.begin - from) / kPageBytes, (region.end - from) / kPageBytes};
      found += run.size();
      if (found > found_max) return false;
      if (!runs.empty() && runs.back().end == run.begin) {
        runs.back().end = run.end;
      } else {
        runs.push_back(run);
      }
    }
    if (scan.walk_end <= scan.begin) return false;
    scan.begin = scan.walk_end;
  }
  return true;
}

}  // namespace nur
