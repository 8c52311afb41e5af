#include "host/sandbox/low_addresses.h"

#include <charconv>
#include <cstdint>
#include <fstream>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <utility>

#include "nur/abi.h"

namespace nur {
namespace {

// The kernel's default for vm.mmap_min_addr, below which nobody can map anything.
constexpr std::uintptr_t kLowest = 64 << 10;

// AddressSanitizer's shadow memory lies there (2 GiB and up), so its builds have no such guard.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// The first mapping of this process that begins below `end`; empty when there is none.
std::string mapping_below(std::uintptr_t end) {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    std::uintptr_t begin = 0;
    const auto parsed = std::from_chars(line.data(), line.data() + line.size(), begin, 16);
    if (parsed.ec == std::errc() && begin < end) return line;
  }
  return "";
}

}  // namespace

Result<LowAddresses> LowAddresses::reserve() {
  if (kSanitized) return LowAddresses(nullptr, 0);
  const std::string there = mapping_below(NUR_ADDRESSABLE_BYTES);
  if (!there.empty()) {
    return fail(ErrorKind::internal,
                "something lies in the first 8 GiB of addresses, which guests must find empty: {}",
                there);
  }
  // Address space that is counted is for instances.
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY) {
    return LowAddresses(nullptr, 0);
  }
  constexpr std::size_t kBytes = NUR_ADDRESSABLE_BYTES - kLowest;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): this very address
  void* const wanted = reinterpret_cast<void*>(kLowest);
  void* const mapped =
      ::mmap(wanted, kBytes, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (mapped == MAP_FAILED) return LowAddresses(nullptr, 0);
  return LowAddresses(mapped, kBytes);
}

LowAddresses::LowAddresses(LowAddresses&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)), bytes_(other.bytes_) {}

LowAddresses::~LowAddresses() {
  if (begin_ != nullptr) ::munmap(begin_, bytes_);
}

}  // namespace nur
