// Clocks, waiting, chance. Clocks go in steps of a millisecond, as those of WASI do.
#include <cerrno>
#include <chrono>
#include <sys/random.h>

#include "host/abi/handle/calls.h"

namespace nur::handle {
namespace {

constexpr std::int64_t kStep = 1'000'000;  // nanoseconds
// Of one random_bytes: some milliseconds of this worker.
constexpr std::uint64_t kRandomBytesMax = std::uint64_t{1} << 20;

template <class Time>
HostReply answer_time(nur_value* values, Time since) {
  const std::int64_t exact = std::chrono::duration_cast<Nanoseconds>(since).count();
  return answer_long(values, exact - exact % kStep);
}

}  // namespace

HostReply clock_wall(HandleCall&, const GuestMemory&, nur_value* values) {
  return answer_time(values, std::chrono::system_clock::now().time_since_epoch());
}

HostReply clock_monotonic(HandleCall&, const GuestMemory&, nur_value* values) {
  return answer_time(values, std::chrono::steady_clock::now().time_since_epoch());
}

HostReply sleep(HandleCall&, const GuestMemory&, nur_value* values) {
  const auto wanted = static_cast<std::int64_t>(values[0].i64);
  const TimePoint now = std::chrono::steady_clock::now();
  if (wanted <= 0) return HostReply::sleep(now);
  const Nanoseconds longest = TimePoint::max() - now;
  return HostReply::sleep(now + std::min(Nanoseconds(wanted), longest));
}

HostReply random_bytes(HandleCall&, const GuestMemory& memory, nur_value* values) {
  const std::uint32_t address = values[0].i32;
  const std::uint64_t size = values[1].i64;
  if (size > 0 && !memory.range(address, size)) return outside();
  if (size > kRandomBytesMax) return answer(values, number_of(Failure::limit));
  if (size == 0) return answer(values, 0);
  const auto place = memory.writable(address, size);
  if (!place) return HostReply::trap(NUR_TRAP_HOST);
  for (std::size_t filled = 0; filled < place->size();) {
    const ssize_t got = ::getrandom(place->data() + filled, place->size() - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return answer(values, number_of(Failure::absent));
    filled += static_cast<std::size_t>(got);
  }
  return answer(values, 0);
}

}  // namespace nur::handle
