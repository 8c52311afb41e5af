#include <array>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "tests/host/abi/fake_guest.h"

namespace nur {
namespace {

using wasi::Errno;
using wasi::Event;
using wasi::EventType;
using wasi::Subscription;

class TurnedClocks final : public WasiClocks {
 public:
  [[nodiscard]] TimePoint monotonic() const override {
    return TimePoint{} + std::chrono::seconds{10};
  }
  [[nodiscard]] Nanoseconds realtime() const override { return std::chrono::seconds{1000}; }
};

Subscription timer(std::uint64_t userdata, std::uint32_t clock, std::uint64_t timeout_ns,
                   std::uint16_t flags = 0) {
  Subscription subscription;
  subscription.userdata = userdata;
  subscription.type = EventType::clock;
  subscription.clock_or_fd = clock;
  subscription.timeout_ns = timeout_ns;
  subscription.flags = flags;
  return subscription;
}

Subscription descriptor(std::uint64_t userdata, EventType type, std::uint32_t fd) {
  Subscription subscription;
  subscription.userdata = userdata;
  subscription.type = type;
  subscription.clock_or_fd = fd;
  return subscription;
}

class WasiPollTest : public WithFolders {
 protected:
  WasiPollTest() {
    options_.clocks = &clocks_;
    options_.clock_resolution = Nanoseconds{1};
  }

  // The events of one call; the errno and reply are kept.
  std::vector<Event> poll(FakeGuest& guest, std::vector<Subscription> subscriptions) {
    const std::uint32_t in = guest.put({reinterpret_cast<const char*>(subscriptions.data()),
                                        subscriptions.size() * sizeof(Subscription)});
    const std::uint32_t out =
        guest.room(static_cast<std::uint32_t>(subscriptions.size() * sizeof(Event)));
    const std::uint32_t count = guest.put_value(std::uint32_t{0});
    error_ = guest.call("poll_oneoff", {in, out, subscriptions.size(), count});
    std::vector<Event> events;
    for (std::uint32_t i = 0; i < guest.value<std::uint32_t>(count); ++i) {
      events.push_back(guest.value<Event>(out + i * std::uint32_t{sizeof(Event)}));
    }
    return events;
  }

  static constexpr std::uint64_t kMs = 1'000'000;
  TurnedClocks clocks_;
  WasiOptions options_;
  Errno error_ = Errno::success;
};

TEST_F(WasiPollTest, SleepsUntilARelativeTime) {
  FakeGuest guest(options_);

  const auto events = poll(guest, {timer(7, 1, 5 * kMs)});

  EXPECT_EQ(error_, Errno::success);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].userdata, 7u);
  EXPECT_EQ(events[0].type, EventType::clock);
  EXPECT_EQ(events[0].error, Errno::success);
  EXPECT_EQ(guest.last_reply().kind, HostReply::Kind::sleep);
  EXPECT_EQ(guest.last_reply().wake, clocks_.monotonic() + Milliseconds{5});
}

TEST_F(WasiPollTest, SleepsUntilAnAbsoluteTimeOfEitherClock) {
  FakeGuest guest(options_);

  poll(guest, {timer(1, 1, 10'003 * kMs, wasi::kSubscriptionAbsolute)});
  EXPECT_EQ(guest.last_reply().wake, clocks_.monotonic() + Milliseconds{3});
  poll(guest, {timer(1, 0, 1'000'004 * kMs, wasi::kSubscriptionAbsolute)});
  EXPECT_EQ(guest.last_reply().wake, clocks_.monotonic() + Milliseconds{4});
}

TEST_F(WasiPollTest, GoesOnAtOnceWhenTheTimeHasPassed) {
  FakeGuest guest(options_);

  EXPECT_EQ(poll(guest, {timer(1, 1, 5, wasi::kSubscriptionAbsolute)}).size(), 1u);
  EXPECT_EQ(guest.last_reply().kind, HostReply::Kind::resume);
  EXPECT_EQ(poll(guest, {timer(1, 1, 0)}).size(), 1u);
  EXPECT_EQ(guest.last_reply().kind, HostReply::Kind::resume);
}

TEST_F(WasiPollTest, WakesForTheFirstOfSeveralTimers) {
  FakeGuest guest(options_);

  const auto events =
      poll(guest, {timer(1, 1, 9 * kMs), timer(2, 1, 4 * kMs), timer(3, 0, 4 * kMs)});

  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].userdata, 2u);
  EXPECT_EQ(events[1].userdata, 3u);
  EXPECT_EQ(guest.last_reply().wake, clocks_.monotonic() + Milliseconds{4});
}

TEST_F(WasiPollTest, WakesNoSoonerThanACoarseClockShowsTheTime) {
  options_.clock_resolution = Milliseconds{1};
  FakeGuest guest(options_);

  poll(guest, {timer(1, 1, 1)});

  EXPECT_EQ(guest.last_reply().wake, clocks_.monotonic() + Milliseconds{1});
}

TEST_F(WasiPollTest, TakesTheLongestTimeWithoutOverflow) {
  FakeGuest guest(options_);

  poll(guest, {timer(1, 1, ~std::uint64_t{0})});

  EXPECT_EQ(guest.last_reply().kind, HostReply::Kind::sleep);
  EXPECT_GT(guest.last_reply().wake, clocks_.monotonic() + std::chrono::hours{24});
}

TEST_F(WasiPollTest, FindsStreamsInMemoryReady) {
  InputView input("body");
  CappedOutput output(100);
  options_.standard_input = &input;
  options_.standard_output = &output;
  FakeGuest guest(options_);

  const auto events = poll(guest, {timer(1, 1, 9 * kMs), descriptor(2, EventType::fd_read, 0),
                                   descriptor(3, EventType::fd_write, 1)});

  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].userdata, 2u);
  EXPECT_EQ(events[0].type, EventType::fd_read);
  EXPECT_EQ(events[0].bytes, 4u);
  EXPECT_EQ(events[1].userdata, 3u);
  EXPECT_EQ(events[1].bytes, 100u);
  EXPECT_EQ(guest.last_reply().kind, HostReply::Kind::resume);
}

TEST_F(WasiPollTest, FindsFilesReadyWithWhatIsLeftOfThem) {
  write_text(inside("file"), "0123456789");
  WasiOptions options = with_directories();
  FakeGuest guest(std::move(options));
  const std::uint32_t fd = guest.open(kInside, "file").fd;
  EXPECT_EQ(guest.read(fd, 4), "0123");

  const auto events = poll(guest, {descriptor(1, EventType::fd_read, fd)});

  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].bytes, 6u);
}

TEST_F(WasiPollTest, TellsErrorsInTheirEvents) {
  FakeGuest guest(with_directories());

  const auto events =
      poll(guest, {descriptor(1, EventType::fd_read, 99), descriptor(2, EventType::fd_write, 0),
                   descriptor(3, EventType::fd_read, kInside), timer(4, 2, 5), timer(5, 9, 5),
                   timer(6, 1, 5, 0x8000)});

  ASSERT_EQ(events.size(), 6u);
  EXPECT_EQ(events[0].error, Errno::badf);
  EXPECT_EQ(events[0].type, EventType::fd_read);
  EXPECT_EQ(events[1].error, Errno::notcapable);
  EXPECT_EQ(events[2].error, Errno::isdir);
  EXPECT_EQ(events[3].error, Errno::notsup);
  EXPECT_EQ(events[4].error, Errno::inval);
  EXPECT_EQ(events[5].error, Errno::inval);
}

TEST_F(WasiPollTest, RefusesNoSubscriptions) {
  FakeGuest guest(options_);

  poll(guest, {});

  EXPECT_EQ(error_, Errno::inval);
}

TEST_F(WasiPollTest, RefusesMoreThan1024Subscriptions) {
  FakeGuest guest(options_);

  EXPECT_EQ(poll(guest, std::vector(1024, timer(1, 1, 0))).size(), 1024u);
  EXPECT_EQ(error_, Errno::success);
  poll(guest, std::vector(1025, timer(1, 1, 0)));
  EXPECT_EQ(error_, Errno::inval);
}

TEST_F(WasiPollTest, RefusesAnUnknownKindOfSubscription) {
  FakeGuest guest(options_);

  poll(guest, {descriptor(1, static_cast<EventType>(3), 0)});

  EXPECT_EQ(error_, Errno::inval);
}

TEST_F(WasiPollTest, MayWriteEventsOverItsSubscriptions) {
  FakeGuest guest(options_);
  const std::array subscriptions = {timer(11, 1, 0), timer(12, 1, 0), timer(13, 1, 0)};
  const std::uint32_t place =
      guest.put({reinterpret_cast<const char*>(subscriptions.data()), sizeof(subscriptions)});
  const std::uint32_t count = guest.room(4);

  EXPECT_EQ(guest.call("poll_oneoff", {place, place, 3, count}), Errno::success);

  EXPECT_EQ(guest.value<std::uint32_t>(count), 3u);
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(guest.value<Event>(place + 32 * i).userdata, 11u + i);
  }
}

TEST_F(WasiPollTest, WaitsForADescriptorOfTheHost) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd reading(ends[0]);
  const Fd writing(ends[1]);
  DescriptorStream input(reading.get());
  options_.standard_input = &input;
  FakeGuest guest(options_);
  const std::vector<Subscription> both = {timer(1, 1, kMs), descriptor(2, EventType::fd_read, 0)};

  auto events = poll(guest, both);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].userdata, 1u);

  ASSERT_EQ(::write(writing.get(), "x", 1), 1);
  events = poll(guest, both);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].userdata, 2u);
  EXPECT_EQ(guest.last_reply().kind, HostReply::Kind::resume);
}

TEST_F(WasiPollTest, ReportsADescriptorOfTheHostBesideWhatIsReadyAnyhow) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd reading(ends[0]);
  const Fd writing(ends[1]);
  DescriptorStream input(reading.get());
  options_.standard_input = &input;
  FakeGuest guest(options_);

  const auto events =
      poll(guest, {descriptor(1, EventType::fd_read, 0), descriptor(2, EventType::fd_write, 1)});

  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].userdata, 2u);
}

TEST_F(WasiPollTest, NonBlockingInputSaysAgainInsteadOfWaiting) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd reading(ends[0]);
  const Fd writing(ends[1]);
  DescriptorStream input(reading.get());
  options_.standard_input = &input;
  FakeGuest guest(options_);
  const std::uint32_t buffer = guest.room(8);
  const std::uint32_t vector = guest.put_vector(buffer, 8);

  ASSERT_EQ(guest.call("fd_fdstat_set_flags", {0, wasi::fd_flag::nonblock}), Errno::success);
  EXPECT_EQ(guest.call("fd_read", {0, vector, 1, guest.room(4)}), Errno::again);
  ASSERT_EQ(::write(writing.get(), "x", 1), 1);
  EXPECT_EQ(guest.read(0), "x");
}

}  // namespace
}  // namespace nur
