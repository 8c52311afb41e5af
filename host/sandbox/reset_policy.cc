#include "host/sandbox/reset_policy.h"

namespace nur {
namespace {

// A fault costs some 4.5 us, with the page fault behind it; scanning 64 MiB some 12 us, and a page
// fault in the kernel alone 0.7 us. From two faults per request on, not having the barrier pays.
constexpr std::uint64_t kFaultsPerRequest = 2;

// Learning anew after every overflow pays while overflows are rare.
constexpr std::uint64_t kRequestsPerOverflow = 8;

}  // namespace

std::string_view to_string(ResetStrategy strategy) {
  switch (strategy) {
    case ResetStrategy::learned:
      return "learned";
    case ResetStrategy::copy_all:
      return "copy_all";
    case ResetStrategy::scan:
      return "scan";
    case ResetStrategy::discard:
      return "discard";
  }
  return "";
}

ResetStrategy choose_reset(const ResetFacts& facts) {
  // Most of a small memory is written: nothing is saved by knowing which part.
  if (facts.memory_pages <= kResidentPagesMax && 2 * facts.hot_pages > facts.memory_pages) {
    return ResetStrategy::copy_all;
  }
  // Other pages in every request, or too many to keep.
  const bool restless = facts.faults > kFaultsPerRequest * facts.requests;
  const bool overflowing = facts.overflows * kRequestsPerOverflow > facts.requests;
  if (restless || overflowing) {
    return facts.can_scan ? ResetStrategy::scan : ResetStrategy::discard;
  }
  return ResetStrategy::learned;
}

}  // namespace nur
