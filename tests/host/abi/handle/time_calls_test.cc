// Clocks, waiting, chance and log levels, called with a page of memory.
#include <array>
#include <chrono>
#include <set>

#include <gtest/gtest.h>

#include "host/abi/handle/functions.h"
#include "host/abi/handle/handle_call.h"

namespace nur {
namespace {

class TimeCallsTest : public testing::Test {
 protected:
  TimeCallsTest() : entries_(HandleEntries::find(manifest()).value()) {}
  static Manifest manifest() {
    Manifest made;
    made.exports.push_back(
        {.name = "handle", .kind = ExternalKind::function, .type = {}, .entry = 0});
    return made;
  }
  HostReply call(std::string_view name, std::vector<std::uint64_t> parameters = {}) {
    values_ = {};
    for (std::size_t i = 0; i < parameters.size(); ++i) values_[i].i64 = parameters[i];
    return find_handle_function(name)(&call_, GuestMemory(bytes_.data(), bytes_.size()),
                                      values_.data());
  }
  std::int64_t result() { return static_cast<std::int64_t>(values_[0].i64); }
  std::int32_t short_result() { return static_cast<std::int32_t>(values_[0].i32); }

  std::vector<std::byte> bytes_ = std::vector<std::byte>(2 << 20);
  std::array<nur_value, 10> values_{};
  EnvironmentTable environment_;
  std::vector<std::pair<GuestLogLevel, std::string>> logged_;
  HandleEntries entries_;
  HandleCall call_{{.entries = entries_,
                    .target = {0, &environment_},
                    .output_bytes_max = 1000,
                    .on_log = [this](GuestLogLevel level, std::string_view text) {
                      logged_.emplace_back(level, text);
                    }}};
};

TEST_F(TimeCallsTest, ClocksGoInStepsOfAMillisecond) {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  call("clock_wall");
  EXPECT_EQ(result() % 1'000'000, 0);
  EXPECT_GE(result(), std::chrono::duration_cast<Nanoseconds>(wall).count() - 1'000'000);
  call("clock_monotonic");
  EXPECT_EQ(result() % 1'000'000, 0);
  const std::int64_t before = result();
  call("clock_monotonic");
  EXPECT_GE(result(), before);
}

TEST_F(TimeCallsTest, SleepParksUntilThen) {
  const TimePoint before = std::chrono::steady_clock::now();
  const HostReply reply = call("sleep", {50'000'000});
  EXPECT_EQ(reply.kind, HostReply::Kind::sleep);
  EXPECT_GE(reply.wake, before + Milliseconds(50));
  const TimePoint at_once = call("sleep", {0}).wake;
  const TimePoint in_the_past = call("sleep", {static_cast<std::uint64_t>(-5)}).wake;
  EXPECT_LE(at_once, std::chrono::steady_clock::now());
  EXPECT_LE(in_the_past, std::chrono::steady_clock::now());
  EXPECT_GT(call("sleep", {INT64_MAX}).wake, before + std::chrono::hours(24));
}

TEST_F(TimeCallsTest, RandomBytesFillWhatIsAskedForAndNoMore) {
  EXPECT_EQ(call("random_bytes", {100, 1000}).kind, HostReply::Kind::resume);
  EXPECT_EQ(short_result(), 0);
  EXPECT_EQ(bytes_[99], std::byte{0});
  EXPECT_EQ(bytes_[1100], std::byte{0});
  std::set<std::byte> different(bytes_.begin() + 100, bytes_.begin() + 1100);
  EXPECT_GT(different.size(), 100U);

  call("random_bytes", {0, 1 << 20});
  EXPECT_EQ(short_result(), 0);
  call("random_bytes", {0, (1 << 20) + 1});
  EXPECT_EQ(short_result(), -2);
  EXPECT_EQ(call("random_bytes", {(2 << 20) - 5, 6}).kind, HostReply::Kind::trap);
  call("random_bytes", {0xffffffff, 0});
  EXPECT_EQ(short_result(), 0);
}

TEST_F(TimeCallsTest, LogLevelsAreFourAndOthersTheLast) {
  bytes_[0] = std::byte{'x'};
  for (const std::uint64_t level : {0, 1, 2, 3, 4, -1}) call("log_at", {level, 0, 1});
  ASSERT_EQ(logged_.size(), 6U);
  EXPECT_EQ(logged_[0].first, GuestLogLevel::error);
  EXPECT_EQ(logged_[1].first, GuestLogLevel::warning);
  EXPECT_EQ(logged_[2].first, GuestLogLevel::info);
  for (int i = 3; i < 6; ++i) EXPECT_EQ(logged_[i].first, GuestLogLevel::debug);
  EXPECT_EQ(call("log_at", {0, 2 << 20, 1}).kind, HostReply::Kind::trap);
}

// On a command line there is no request, no client and no store.
TEST_F(TimeCallsTest, WhatIsNotThereIsAnErrorAndNoTrap) {
  for (const char* const name :
       {"request_method", "request_target", "request_path", "request_query", "request_client",
        "request_headers", "request_body"}) {
    EXPECT_EQ(call(name, {0, 10}).kind, HostReply::Kind::resume) << name;
    EXPECT_EQ(result(), -1) << name;
  }
  call("request_header", {0, 1, 10, 10});
  EXPECT_EQ(result(), -1);
  call("kv_get", {0, 1, 10, 10});
  EXPECT_EQ(result(), -3);
  call("kv_list", {0, 1, 0, 0, 10, 10});
  EXPECT_EQ(result(), -3);
  call("kv_set", {0, 1, 0, 1, 0});
  EXPECT_EQ(short_result(), -3);
  call("kv_delete", {0, 1});
  EXPECT_EQ(short_result(), -3);
  call("kv_increment", {0, 1, 1, 0, 16});
  EXPECT_EQ(short_result(), -3);
}

TEST_F(TimeCallsTest, WithoutAClientWhatIsWrittenIsTheAnswerAsFarAsItMayBe) {
  for (int i = 0; i < 100; ++i) {
    bytes_[0] = static_cast<std::byte>('0' + i % 10);
    call("response_write", {0, 10});
    EXPECT_EQ(result(), 10) << i;
  }
  call("response_write", {0, 1});
  EXPECT_EQ(result(), -1);
  call("response_write", {0, 0});
  EXPECT_EQ(result(), 0);
}

TEST_F(TimeCallsTest, TheStoreIsNotAskedForWhatMakesNoSense) {
  call("kv_get", {0, 0, 10, 10});
  EXPECT_EQ(result(), -4);
  call("kv_get", {0, 513, 10, 10});
  EXPECT_EQ(result(), -4);
  call("kv_set", {0, 1, 0, 1, static_cast<std::uint64_t>(-1)});
  EXPECT_EQ(short_result(), -4);
  call("kv_set", {0, 1, 0, (1 << 20) + 1, 0});
  EXPECT_EQ(short_result(), -2);
  call("kv_increment", {0, 0, 1, 0, 16});
  EXPECT_EQ(short_result(), -4);
  call("kv_list", {0, 513, 0, 0, 10, 10});
  EXPECT_EQ(result(), -4);
  const std::uint64_t end = 2 << 20;
  EXPECT_EQ(call("kv_get", {end, 1, 10, 10}).kind, HostReply::Kind::trap);
  EXPECT_EQ(call("kv_get", {0, 1, end - 1, 2}).kind, HostReply::Kind::trap);
  EXPECT_EQ(call("kv_set", {0, 1, end, 1, 0}).kind, HostReply::Kind::trap);
  EXPECT_EQ(call("kv_delete", {end, 1}).kind, HostReply::Kind::trap);
  EXPECT_EQ(call("kv_increment", {0, 1, 1, 0, end - 7}).kind, HostReply::Kind::trap);
  EXPECT_EQ(call("kv_list", {0, 1, end, 1, 10, 10}).kind, HostReply::Kind::trap);
  EXPECT_EQ(call("kv_list", {0, 1, 0, 1, end, 10}).kind, HostReply::Kind::trap);
}

}  // namespace
}  // namespace nur
