// poll_oneoff: waiting for time to pass or for a descriptor.
//
// Streams in memory and files are always ready. Where only clocks make a call wait, the events are
// written at once and the reply says when the guest may go on; whoever runs it serves others until
// then. Where a stream waits for its client, the guest is parked and the call asked again. Only
// descriptors of the host (command line) block the thread.
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <poll.h>
#include <span>
#include <sys/stat.h>
#include <vector>

#include "host/abi/wasi/calls.h"
#include "host/abi/wasi/file_status.h"
#include "host/abi/wasi/guest_access.h"
#include "host/abi/wasi/guest_time.h"

namespace nur::wasi {

namespace {

// More than any guest has descriptors and timers; each is a few dozen bytes of ours.
constexpr std::uint32_t kSubscriptionsMax = 1024;

// Longer waits end early with nothing lost but one more call; a deadline comes long before.
constexpr std::uint64_t kWaitMaxNs = 365ull * 24 * 3600 * 1'000'000'000;

constexpr std::uint64_t kNsPerS = 1'000'000'000;

struct Timer {
  Event event;
  std::uint64_t left_ns;  // until its clock, as the guest reads it, shows the time
};

struct Waiting {
  Event event;
  int descriptor;
};

// What the subscriptions of one call come to.
struct Subscribed {
  std::vector<Event> ready;
  std::vector<Timer> timers;
  std::vector<Waiting> waiting;
  bool waits_for_client = false;  // some stream
};

Event event_of(const Subscription& subscription) {
  Event event;
  event.userdata = subscription.userdata;
  event.type = subscription.type;
  return event;
}

WasiResult<std::uint64_t> time_left_ns(const WasiProcess& process, const Subscription& clock) {
  if ((clock.flags & ~kSubscriptionAbsolute) != 0) return refuse(Errno::inval);
  const std::uint64_t now = NUR_TRY(exact_time_ns(process, clock.clock_or_fd));
  std::uint64_t left = clock.timeout_ns;
  if (process.polling_since && (clock.flags & kSubscriptionAbsolute) == 0) {
    const Nanoseconds passed = process.clocks().monotonic() - *process.polling_since;
    left -= std::min(left, static_cast<std::uint64_t>(passed.count()));
  }
  if ((clock.flags & kSubscriptionAbsolute) != 0) left = left > now ? left - now : 0;
  if (left == 0) return 0;
  // The guest's clock shows a time up to one resolution after it has come. Waking it sooner would
  // let it find its time not yet come, and spin.
  const auto resolution = static_cast<std::uint64_t>(process.clock_resolution().count());
  return std::min(left, kWaitMaxNs) + resolution - 1;
}

// How much a regular file has behind its position.
std::uint64_t bytes_left_in_file(int fd) {
  struct stat status;
  const off_t at = ::lseek(fd, 0, SEEK_CUR);
  if (status_of(fd, status) != 0 || at < 0 || status.st_size < at) return 0;
  return static_cast<std::uint64_t>(status.st_size - at);
}

// Adds a descriptor's subscription to `all`. Errors are the event's.
Done subscribe_descriptor(WasiProcess& process, Event event, std::uint32_t fd, Subscribed& all) {
  const bool reads = event.type == EventType::fd_read;
  const Rights needed = right::poll_fd_readwrite | (reads ? right::fd_read : right::fd_write);
  const OpenFile* const file = NUR_TRY(process.files().find_readable_or_writable(fd, needed));
  if (file->stream == nullptr) {
    event.bytes = reads ? bytes_left_in_file(file->host->get()) : kTransferBytesMax;
    all.ready.push_back(event);
    return {};
  }
  if (!file->stream->is_ready(event.type)) {
    all.waits_for_client = true;
    return {};
  }
  event.bytes = file->stream->bytes_ready(event.type);
  if (file->stream->descriptor() >= 0) {
    all.waiting.push_back({event, file->stream->descriptor()});
  } else {
    all.ready.push_back(event);
  }
  return {};
}

// Errors: inval for an unknown kind of subscription.
Done subscribe(WasiProcess& process, const Subscription& subscription, Subscribed& all) {
  Event event = event_of(subscription);
  std::optional<Errno> failure;
  switch (subscription.type) {
    case EventType::clock: {
      const WasiResult<std::uint64_t> left = time_left_ns(process, subscription);
      if (!left)
        failure = left.error();
      else
        all.timers.push_back({event, *left});
      break;
    }
    case EventType::fd_read:
    case EventType::fd_write: {
      const Done subscribed = subscribe_descriptor(process, event, subscription.clock_or_fd, all);
      if (!subscribed) failure = subscribed.error();
      break;
    }
    default:
      return refuse(Errno::inval);
  }
  if (failure) {
    event.error = *failure;
    all.ready.push_back(event);
  }
  return {};
}

void expire_timers(Subscribed& all, std::uint64_t passed_ns) {
  for (const Timer& timer : all.timers) {
    if (timer.left_ns <= passed_ns) all.ready.push_back(timer.event);
  }
}

// Blocks until a descriptor is ready or `timeout_ns` are over (nullopt: for ever) and adds the
// events of those that are.
Done wait_for_descriptors(Subscribed& all, std::optional<std::uint64_t> timeout_ns) {
  std::vector<pollfd> polled;
  for (const Waiting& waiting : all.waiting) {
    const bool reads = waiting.event.type == EventType::fd_read;
    polled.push_back({waiting.descriptor, static_cast<short>(reads ? POLLIN : POLLOUT), 0});
  }
  timespec timeout = {};
  if (timeout_ns) {
    timeout.tv_sec = static_cast<time_t>(*timeout_ns / kNsPerS);
    timeout.tv_nsec = static_cast<long>(*timeout_ns % kNsPerS);
  }
  // A signal for the host may end this early; the guest is told and polls again.
  if (::ppoll(polled.data(), polled.size(), timeout_ns ? &timeout : nullptr, nullptr) < 0) {
    return refuse_by_host();
  }
  for (std::size_t i = 0; i < polled.size(); ++i) {
    if (polled[i].revents != 0) all.ready.push_back(all.waiting[i].event);
  }
  return {};
}

}  // namespace

WasiResult<HostReply> poll_oneoff(WasiProcess& process, const GuestMemory& memory, Pointer in,
                                  Pointer out, Size nsubscriptions, Pointer nevents) {
  const auto given =
      NUR_TRY(guest_range(memory, in, std::uint64_t{nsubscriptions} * sizeof(Subscription)));
  NUR_TRY(guest_range(memory, out, std::uint64_t{nsubscriptions} * sizeof(Event)));
  NUR_TRY(check_room<Size>(memory, nevents));
  if (nsubscriptions == 0 || nsubscriptions > kSubscriptionsMax) return refuse(Errno::inval);

  Subscribed all;
  for (Size i = 0; i < nsubscriptions; ++i) {
    Subscription subscription;
    std::memcpy(&subscription, given.data() + std::size_t{i} * sizeof(Subscription),
                sizeof(Subscription));
    NUR_TRY(subscribe(process, subscription, all));
  }
  // From here on subscriptions are read no more, so events may overlap them.

  std::optional<std::uint64_t> wait_ns;
  for (const Timer& timer : all.timers) {
    wait_ns = std::min(wait_ns.value_or(timer.left_ns), timer.left_ns);
  }
  if (!all.ready.empty()) wait_ns = 0;

  HostReply reply = HostReply::resume();
  if (all.waits_for_client) {
    const TimePoint now = process.clocks().monotonic();
    if (wait_ns != 0) {
      if (!process.polling_since) process.polling_since = now;
      if (!wait_ns) return HostReply::wait_for_client();
      return HostReply::wait_for_client(now + Nanoseconds(static_cast<std::int64_t>(*wait_ns)));
    }
    process.polling_since.reset();
    expire_timers(all, 0);
  } else if (!all.waiting.empty()) {
    const std::size_t ready_before = all.ready.size();
    NUR_TRY(wait_for_descriptors(all, wait_ns));
    const bool in_time = all.ready.size() > ready_before;
    expire_timers(all, in_time ? 0 : wait_ns.value_or(0));
  } else {
    // Something is ready or a timer runs, for there is at least one subscription.
    process.polling_since.reset();
    expire_timers(all, *wait_ns);
    if (*wait_ns > 0) {
      reply = HostReply::sleep(process.clocks().monotonic() +
                               Nanoseconds(static_cast<std::int64_t>(*wait_ns)));
    }
  }

  for (std::size_t i = 0; i < all.ready.size(); ++i) {
    NUR_TRY(write_guest(memory, out + static_cast<Pointer>(i * sizeof(Event)), all.ready[i]));
  }
  NUR_TRY(write_guest(memory, nevents, static_cast<Size>(all.ready.size())));
  return reply;
}

}  // namespace nur::wasi
