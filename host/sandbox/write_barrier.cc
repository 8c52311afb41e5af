#include "host/sandbox/write_barrier.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/mman.h>

namespace nur {
namespace {

// From the third on, faults that follow each other upwards admit twice as many pages each time, up
// to this many: who fills a buffer for the first time pays for a few faults, not for one per page.
constexpr std::size_t kFaultPagesMax = 16;

}  // namespace

WriteBarrier::WriteBarrier(std::byte* area, std::size_t area_pages, std::size_t memory_pages,
                           std::byte* saves)
    : area_(area), saves_(saves), area_pages_(area_pages), writable_(area_pages + memory_pages) {
  writable_.add(0);
}

bool WriteBarrier::admit_fault(std::uintptr_t address) {
  if (!guards(address)) return false;
  const std::size_t page = (address - reinterpret_cast<std::uintptr_t>(area_)) / kPageBytes;
  if (writable_.has(page)) return false;
  ++faults_;
  const bool upwards = page == fault_end_;
  fault_pages_ = upwards && fault_streak_ > 0 ? std::min(2 * fault_pages_, kFaultPagesMax) : 1;
  fault_streak_ = upwards ? fault_streak_ + 1 : 0;
  const std::size_t limit = page < area_pages_ ? area_pages_ : writable_.room();
  fault_end_ = std::min({page + fault_pages_, limit, writable_.find(page, true)});
  return admit({page, fault_end_});
}

bool WriteBarrier::admit(const std::byte* begin, std::size_t bytes) {
  const auto from = reinterpret_cast<std::uintptr_t>(begin);
  const auto area = reinterpret_cast<std::uintptr_t>(area_);
  const std::uintptr_t end = area + writable_.room() * kPageBytes;
  if (bytes == 0 || from < area || from >= end) return true;
  const std::size_t first = (from - area) / kPageBytes;
  const std::size_t behind = (std::min(from + bytes, end) - area + kPageBytes - 1) / kPageBytes;
  return admit({first, behind});
}

bool WriteBarrier::admit(PageRun pages) {
  pages.begin = std::min(writable_.find(pages.begin, false), pages.end);
  if (pages.size() == 0) return true;
  const int saved_errno = errno;
  save(pages);
  bool done =
      ::mprotect(address_of(pages.begin), pages.size() * kPageBytes, PROT_READ | PROT_WRITE) == 0;
  if (!done && errno == ENOMEM) {
    // Out of mappings, most likely. All pages at once leave fewer than there are now.
    pages = {0, writable_.room()};
    save(pages);
    done = ::mprotect(area_, pages.size() * kPageBytes, PROT_READ | PROT_WRITE) == 0;
  }
  writable_.add(pages);
  ++version_;
  if (!done) broken_ = true;
  errno = saved_errno;
  return done;
}

void WriteBarrier::save(PageRun pages) {
  for (std::size_t page = pages.begin; page < std::min(pages.end, area_pages_); ++page) {
    if (!writable_.has(page)) std::memcpy(save_of(page), address_of(page), kPageBytes);
  }
}

bool WriteBarrier::protect_memory() {
  const PageRun memory{area_pages_, writable_.room()};
  if (memory.size() == 0) return true;
  if (::mprotect(address_of(memory.begin), memory.size() * kPageBytes, PROT_READ) != 0) {
    broken_ = true;
    return false;
  }
  writable_.remove(memory);
  ++version_;
  return true;
}

}  // namespace nur
