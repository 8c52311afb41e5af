// Which way of making instances fresh is the cheapest for a function, from what its requests did.
// All ways are exact; they differ in what they cost (docs/measurements.md, reset).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "host/sandbox/page_set.h"

namespace nur {

enum class ResetStrategy : std::uint8_t {
  learned,   // the write barrier stands; pages that it let through are copied back
  copy_all,  // everything is writable and copied back: no barrier, no mapping per run of pages
  scan,      // everything is writable; the kernel says which pages are there (PAGEMAP_SCAN)
  discard,   // everything is writable and given back to the kernel
};

std::string_view to_string(ResetStrategy strategy);

// Memory that stays resident from one request to the next, per instance: beyond, copying costs more
// than giving it back and faulting it in anew.
inline constexpr std::size_t kResidentPagesMax = (1 << 20) / kPageBytes;

// What is known of a function's requests; those that an instance serves first are not counted,
// because every one of them learns.
struct ResetFacts {
  std::size_t memory_pages = 0;  // of initial memory
  std::size_t hot_pages = 0;     // of it, written by requests
  std::uint64_t requests = 0;
  std::uint64_t faults = 0;     // first writes to pages that were thought to be cold
  std::uint64_t overflows = 0;  // requests that left more than kResidentPagesMax pages written
  bool can_scan = false;        // the kernel has PAGEMAP_SCAN
};

ResetStrategy choose_reset(const ResetFacts& facts);

}  // namespace nur
