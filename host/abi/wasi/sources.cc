#include "host/abi/wasi/sources.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <sys/random.h>

namespace nur {

TimePoint SystemWasiClocks::monotonic() const { return std::chrono::steady_clock::now(); }

Nanoseconds SystemWasiClocks::realtime() const {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::max(std::chrono::duration_cast<Nanoseconds>(since_epoch), Nanoseconds{0});
}

bool SystemRandom::fill(std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace nur
