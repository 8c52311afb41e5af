// Arguments, environment, end, chance, clocks: preview 1 without files.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/abi/wasi/functions.h"
#include "host/abi/wasi/process.h"
#include "tests/host/abi/fake_guest.h"

namespace nur {
namespace {

using wasi::Errno;

// Time and chance that stand still.
class FixedClocks final : public WasiClocks {
 public:
  [[nodiscard]] TimePoint monotonic() const override {
    return TimePoint{} + std::chrono::seconds{50} + Nanoseconds{123'456'789};
  }
  [[nodiscard]] Nanoseconds realtime() const override {
    return std::chrono::seconds{1'700'000'000} + Nanoseconds{987'654'321};
  }
};

class CountingRandom final : public RandomSource {
 public:
  [[nodiscard]] bool fill(std::span<std::byte> bytes) const override {
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(next_++);
    return true;
  }

 private:
  mutable unsigned char next_ = 1;
};

class NoRandom final : public RandomSource {
 public:
  [[nodiscard]] bool fill(std::span<std::byte>) const override { return false; }
};

TEST(WasiFunctions, ServeEveryImportOfPreview1) {
  EXPECT_EQ(wasi_signatures().size(), 46u);
  for (const WasiSignature& signature : wasi_signatures()) {
    EXPECT_NE(find_wasi_function(signature.name), nullptr) << signature.name;
  }
}

TEST(WasiFunctions, AreNullForOtherNames) {
  EXPECT_EQ(find_wasi_function("fd_open"), nullptr);
  EXPECT_EQ(find_wasi_function(""), nullptr);
  EXPECT_EQ(find_wasi_function("nur_log"), nullptr);
}

TEST(WasiProcess, HasNothingByDefault) {
  FakeGuest guest;
  const std::uint32_t place = guest.room(64);

  EXPECT_EQ(guest.call("args_sizes_get", {place, place + 4}), Errno::success);
  EXPECT_EQ(guest.value<std::uint32_t>(place), 0u);
  EXPECT_EQ(guest.value<std::uint32_t>(place + 4), 0u);
  EXPECT_EQ(guest.call("environ_sizes_get", {place, place + 4}), Errno::success);
  EXPECT_EQ(guest.value<std::uint32_t>(place), 0u);
  EXPECT_EQ(guest.call("fd_prestat_get", {3, place}), Errno::badf);
  EXPECT_EQ(guest.read(0), "");
  EXPECT_EQ(guest.write(1, "gone"), Errno::success);
  EXPECT_EQ(guest.write(2, "gone"), Errno::success);
}

TEST(WasiProcess, RefusesANulInAnArgument) {
  WasiOptions options;
  options.arguments = {"program", std::string("a\0b", 3)};

  const auto created = WasiProcess::create(std::move(options));

  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().kind, ErrorKind::invalid_input);
}

TEST(WasiProcess, RefusesAVariableWithoutName) {
  for (const char* variable : {"NOVALUE", "=value", ""}) {
    WasiOptions options;
    options.environment = {variable};

    const auto created = WasiProcess::create(std::move(options));

    ASSERT_FALSE(created) << variable;
    EXPECT_EQ(created.error().kind, ErrorKind::invalid_input);
  }
}

TEST(WasiProcess, RefusesMoreStringsThanAMebibyte) {
  WasiOptions options;
  options.environment = {"A=" + std::string(1 << 20, 'x')};

  const auto created = WasiProcess::create(std::move(options));

  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().kind, ErrorKind::limit_exceeded);
}

TEST(WasiProcess, RefusesAResolutionOfNothing) {
  WasiOptions options;
  options.clock_resolution = Nanoseconds{0};

  EXPECT_EQ(WasiProcess::create(std::move(options)).error().kind, ErrorKind::invalid_input);
}

TEST(WasiArguments, AreCopiedWithTheirPointers) {
  WasiOptions options;
  options.arguments = {"prog", "", "third one"};
  FakeGuest guest(std::move(options));
  const std::uint32_t sizes = guest.room(8);
  const std::uint32_t table = guest.room(12);
  const std::uint32_t buffer = guest.room(32);

  ASSERT_EQ(guest.call("args_sizes_get", {sizes, sizes + 4}), Errno::success);
  EXPECT_EQ(guest.value<std::uint32_t>(sizes), 3u);
  EXPECT_EQ(guest.value<std::uint32_t>(sizes + 4), 16u);
  ASSERT_EQ(guest.call("args_get", {table, buffer}), Errno::success);
  EXPECT_EQ(guest.text(buffer, 16), std::string("prog\0\0third one\0", 16));
  EXPECT_EQ(guest.value<std::uint32_t>(table), buffer);
  EXPECT_EQ(guest.value<std::uint32_t>(table + 4), buffer + 5);
  EXPECT_EQ(guest.value<std::uint32_t>(table + 8), buffer + 6);
}

TEST(WasiEnvironment, IsCopiedWithItsPointers) {
  WasiOptions options;
  options.environment = {"A=1", "EMPTY="};
  FakeGuest guest(std::move(options));
  const std::uint32_t sizes = guest.room(8);
  const std::uint32_t table = guest.room(8);
  const std::uint32_t buffer = guest.room(16);

  ASSERT_EQ(guest.call("environ_sizes_get", {sizes, sizes + 4}), Errno::success);
  EXPECT_EQ(guest.value<std::uint32_t>(sizes), 2u);
  EXPECT_EQ(guest.value<std::uint32_t>(sizes + 4), 11u);
  ASSERT_EQ(guest.call("environ_get", {table, buffer}), Errno::success);
  EXPECT_EQ(guest.text(buffer, 11), std::string("A=1\0EMPTY=\0", 11));
  EXPECT_EQ(guest.value<std::uint32_t>(table + 4), buffer + 4);
}

TEST(WasiArguments, WriteNothingWhenTheBufferDoesNotFit) {
  WasiOptions options;
  options.arguments = {"program"};
  FakeGuest guest(std::move(options));
  const std::uint32_t table = guest.put_value(std::uint32_t{77});

  EXPECT_EQ(guest.call("args_get", {table, FakeGuest::kMemoryBytes - 4}), Errno::fault);
  EXPECT_EQ(guest.value<std::uint32_t>(table), 77u);
}

TEST(WasiExit, EndsTheGuestWithItsStatus) {
  FakeGuest guest;

  guest.call("proc_exit", {42});

  EXPECT_EQ(guest.last_reply().kind, HostReply::Kind::exit);
  EXPECT_EQ(guest.last_reply().code, 42u);
}

TEST(WasiRaise, IsNotSupported) {
  FakeGuest guest;

  EXPECT_EQ(guest.call("proc_raise", {6}), Errno::notsup);
  EXPECT_EQ(guest.last_reply().kind, HostReply::Kind::resume);
}

TEST(WasiYield, Succeeds) {
  FakeGuest guest;

  EXPECT_EQ(guest.call("sched_yield", {}), Errno::success);
}

TEST(WasiRandom, FillsTheWholeBufferAndNoMore) {
  const CountingRandom random;
  WasiOptions options;
  options.random = &random;
  FakeGuest guest(std::move(options));
  const std::uint32_t buffer = guest.room(10'002);

  ASSERT_EQ(guest.call("random_get", {buffer + 1, 10'000}), Errno::success);

  EXPECT_EQ(guest.value<unsigned char>(buffer), 0);
  EXPECT_EQ(guest.value<unsigned char>(buffer + 1), 1);
  // 4,096 is a multiple of 256, so chunk borders do not show.
  EXPECT_EQ(guest.value<unsigned char>(buffer + 10'000), 10'000 % 256);
  EXPECT_EQ(guest.value<unsigned char>(buffer + 10'001), 0);
}

TEST(WasiRandom, DiffersFromCallToCall) {
  FakeGuest guest;
  std::set<std::string> seen;
  for (int i = 0; i < 8; ++i) {
    const std::uint32_t buffer = guest.room(16);
    ASSERT_EQ(guest.call("random_get", {buffer, 16}), Errno::success);
    seen.insert(guest.text(buffer, 16));
  }
  EXPECT_EQ(seen.size(), 8u);
}

TEST(WasiRandom, SaysIoErrorWithoutASource) {
  const NoRandom random;
  WasiOptions options;
  options.random = &random;
  FakeGuest guest(std::move(options));

  EXPECT_EQ(guest.call("random_get", {guest.room(8), 8}), Errno::io);
}

TEST(WasiRandom, RefusesMoreThanOneCallMayTake) {
  std::vector<std::byte> memory(5u << 20);
  WasiProcess process = WasiProcess::create({}).value();
  nur_value values[2] = {};
  values[1].i32 = (4u << 20) + 1;

  find_wasi_function("random_get")(&process, GuestMemory(memory.data(), memory.size()), values);

  EXPECT_EQ(static_cast<Errno>(values[0].i32), Errno::inval);
}

class WasiClockTest : public testing::Test {
 protected:
  FakeGuest guest_with(Nanoseconds resolution) {
    WasiOptions options;
    options.clocks = &clocks_;
    options.clock_resolution = resolution;
    return FakeGuest(std::move(options));
  }

  FixedClocks clocks_;
};

TEST_F(WasiClockTest, ReadsBothClocks) {
  FakeGuest guest = guest_with(Nanoseconds{1});
  const std::uint32_t time = guest.room(8);

  ASSERT_EQ(guest.call("clock_time_get", {0, 1, time}), Errno::success);
  EXPECT_EQ(guest.value<std::uint64_t>(time), 1'700'000'000'987'654'321u);
  ASSERT_EQ(guest.call("clock_time_get", {1, 1, time}), Errno::success);
  EXPECT_EQ(guest.value<std::uint64_t>(time), 50'123'456'789u);
}

TEST_F(WasiClockTest, IsAsCoarseAsItSays) {
  FakeGuest guest = guest_with(Milliseconds{1});
  const std::uint32_t time = guest.room(8);

  ASSERT_EQ(guest.call("clock_time_get", {1, 0, time}), Errno::success);
  EXPECT_EQ(guest.value<std::uint64_t>(time), 50'123'000'000u);
  ASSERT_EQ(guest.call("clock_res_get", {1, time}), Errno::success);
  EXPECT_EQ(guest.value<std::uint64_t>(time), 1'000'000u);
}

TEST_F(WasiClockTest, HasNoCpuTime) {
  FakeGuest guest = guest_with(Nanoseconds{1});
  const std::uint32_t time = guest.room(8);

  for (const std::uint64_t id : {2u, 3u}) {
    EXPECT_EQ(guest.call("clock_time_get", {id, 0, time}), Errno::notsup);
    EXPECT_EQ(guest.call("clock_res_get", {id, time}), Errno::notsup);
  }
}

TEST_F(WasiClockTest, RefusesOtherClocks) {
  FakeGuest guest = guest_with(Nanoseconds{1});
  const std::uint32_t time = guest.room(8);

  EXPECT_EQ(guest.call("clock_time_get", {4, 0, time}), Errno::inval);
  EXPECT_EQ(guest.call("clock_res_get", {0xffffffff, time}), Errno::inval);
}

TEST(SystemWasiClocks, GoOn) {
  const SystemWasiClocks clocks;
  const TimePoint before = clocks.monotonic();

  EXPECT_GE(clocks.monotonic(), before);
  EXPECT_GT(clocks.realtime(), std::chrono::seconds{1'700'000'000});
}

TEST(WasiSockets, AreNoneOfTheOpenDescriptors) {
  FakeGuest guest;
  const std::uint32_t place = guest.room(64);

  EXPECT_EQ(guest.call("sock_accept", {1, 0, place}), Errno::notsock);
  EXPECT_EQ(guest.call("sock_recv", {0, place, 1, 0, place, place}), Errno::notsock);
  EXPECT_EQ(guest.call("sock_send", {1, place, 1, 0, place}), Errno::notsock);
  EXPECT_EQ(guest.call("sock_shutdown", {1, 3}), Errno::notsock);
  EXPECT_EQ(guest.call("sock_accept", {9, 0, place}), Errno::badf);
  EXPECT_EQ(guest.call("sock_recv", {9, place, 1, 0, place, place}), Errno::badf);
  EXPECT_EQ(guest.call("sock_send", {9, place, 1, 0, place}), Errno::badf);
  EXPECT_EQ(guest.call("sock_shutdown", {9, 3}), Errno::badf);
}

}  // namespace
}  // namespace nur
