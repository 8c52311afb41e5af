#include "host/abi/handle/handle_call.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/abi/handle/functions.h"

namespace nur {
namespace {

Manifest manifest_with(std::vector<std::string> exports) {
  Manifest manifest;
  for (const std::string& name : exports) {
    manifest.exports.push_back({.name = name,
                                .kind = ExternalKind::function,
                                .type = {},
                                .entry = static_cast<std::uint32_t>(manifest.exports.size())});
  }
  return manifest;
}

// A guest's memory of one page with texts in it, and its call.
class HandleCallTest : public testing::Test {
 protected:
  HandleCallTest()
      : entries_(HandleEntries::find(manifest_with({"handle"})).value()),
        call_({.entries = entries_,
               .target = {0, &environment_},
               .output_bytes_max = 1000,
               .on_log = [this](GuestLogLevel level, std::string_view text) {
                 logged_.emplace_back(level, text);
               }}) {}

  // A pointer and a size, as two parameters.
  std::array<std::uint64_t, 2> text(std::string_view text) {
    const std::size_t at = used_;
    std::ranges::copy(text, reinterpret_cast<char*>(bytes_.data()) + at);
    used_ += text.size();
    return {at, text.size()};
  }

  HostReply call(std::string_view name, std::vector<std::uint64_t> parameters) {
    values_ = {};
    for (std::size_t i = 0; i < parameters.size(); ++i) values_[i].i64 = parameters[i];
    return find_handle_function(name)(&call_, GuestMemory(bytes_.data(), bytes_.size()),
                                      values_.data());
  }
  std::int64_t result() { return static_cast<std::int64_t>(values_[0].i64); }

  std::vector<std::byte> bytes_ = std::vector<std::byte>(65536);
  std::size_t used_ = 16;
  std::array<nur_value, 8> values_{};
  EnvironmentTable environment_{{"/env/backend", "127.0.0.1:8181"}};
  std::vector<std::pair<GuestLogLevel, std::string>> logged_;
  HandleEntries entries_;
  HandleCall call_;
};

TEST_F(HandleCallTest, CollectsAResponseOfWhichStatusAndBodyAreTheLast) {
  const auto not_found = text("Nope");
  const auto ok = text("Ok");
  const auto name = text("Content-length");
  const auto value = text("2");
  call("response_set_status_line", {404, not_found[0], not_found[1]});
  call("response_set_header", {name[0], name[1], value[0], value[1]});
  call("response_set_header", {name[0], name[1], value[0], value[1]});
  call("response_set_body", {name[0], name[1]});
  call("response_set_status_line", {200, ok[0], ok[1]});
  call("response_set_body", {ok[0], ok[1]});

  const HandleResponse& response = call_.response();

  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.reason, "Ok");
  EXPECT_EQ(response.body, "Ok");
  ASSERT_EQ(response.headers.size(), 2U);
  EXPECT_EQ(response.headers[1].name, "Content-length");
  EXPECT_EQ(response.headers[1].value, "2");
}

TEST_F(HandleCallTest, CutsAStatusTo16Bits) {
  call("response_set_status_line", {0x100c8, 0, 0});
  EXPECT_EQ(call_.response().status, 200);
}

TEST_F(HandleCallTest, HandsLogLinesOn) {
  const auto line = text("Hello world with api!");
  call("log", {line[0], line[1]});
  ASSERT_EQ(logged_.size(), 1U);
  EXPECT_EQ(logged_[0], std::pair(GuestLogLevel::info, std::string("Hello world with api!")));
}

TEST_F(HandleCallTest, TellsHowLongAValueIsBeforeItIsFetched) {
  for (const char* const name : {"db_get", "env_get"}) {
    const auto key = text("/env/backend");
    // What a Rust guest passes for no room: a pointer to nothing.
    call(name, {key[0], key[1], 1, 0});
    EXPECT_EQ(result(), 14);

    call(name, {key[0], key[1], 5000, 14});
    EXPECT_EQ(result(), 14);
    EXPECT_EQ(std::string(reinterpret_cast<char*>(bytes_.data()) + 5000, 14), "127.0.0.1:8181");
  }
}

TEST_F(HandleCallTest, WritesNoMoreOfAValueThanThereIsRoom) {
  const auto key = text("/env/backend");
  call("db_get", {key[0], key[1], 5000, 3});
  EXPECT_EQ(result(), 14);
  EXPECT_EQ(std::string(reinterpret_cast<char*>(bytes_.data()) + 5000, 4), std::string("127\0", 4));
}

TEST_F(HandleCallTest, SaysThatAValueIsAbsent) {
  const auto key = text("/env/other");
  call("db_get", {key[0], key[1], 5000, 100});
  EXPECT_EQ(result(), -1);
}

TEST_F(HandleCallTest, TrapsAtPointersOutsideMemory) {
  const auto key = text("/env/backend");
  const std::uint64_t end = 65536;
  const std::vector<std::pair<std::string, std::vector<std::uint64_t>>> calls = {
      {"log", {end - 1, 2}},
      {"log", {end + 1, 1}},
      {"log", {0, ~0ULL}},
      {"log", {16, 1ULL << 32}},
      {"response_set_status_line", {200, end - 1, 2}},
      {"response_set_header", {end - 1, 2, 16, 1}},
      {"response_set_header", {16, 1, end - 1, 2}},
      {"response_set_body", {0xffffffff, 1}},
      {"db_get", {end - 1, 2, 16, 1}},
      {"db_get", {key[0], key[1], end - 13, 14}},
  };
  for (const auto& [name, parameters] : calls) {
    const HostReply reply = call(name, parameters);
    EXPECT_EQ(reply.kind, HostReply::Kind::trap) << name;
    EXPECT_EQ(reply.code, std::uint32_t{NUR_TRAP_OUT_OF_BOUNDS_MEMORY}) << name;
  }
  EXPECT_FALSE(call_.response().body);
  EXPECT_TRUE(logged_.empty());
}

TEST_F(HandleCallTest, StopsAGuestThatSetsMoreHeadersThanMayBe) {
  const auto name = text("X");
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(call("response_set_header", {name[0], name[1], name[0], name[1]}).kind,
              HostReply::Kind::resume);
  }
  EXPECT_EQ(call("response_set_header", {name[0], name[1], name[0], name[1]}).kind,
            HostReply::Kind::trap);
  EXPECT_EQ(call_.refused(), "the function set more than 100 headers");
}

TEST_F(HandleCallTest, StopsAGuestWhoseHeadersAreTooLong) {
  EXPECT_EQ(call("response_set_header", {16, 20000, 16, 12768}).kind, HostReply::Kind::resume);
  EXPECT_EQ(call("response_set_header", {16, 1, 16, 0}).kind, HostReply::Kind::trap);
  EXPECT_EQ(call_.refused(), "the function set headers of more than 32KiB");
}

TEST_F(HandleCallTest, StopsAGuestWhoseReasonIsTooLong) {
  EXPECT_EQ(call("response_set_status_line", {200, 16, 32769}).kind, HostReply::Kind::trap);
  EXPECT_EQ(call_.refused(), "the function set a reason of more than 32KiB");
}

TEST_F(HandleCallTest, StopsAGuestWhoseBodyIsTooLong) {
  EXPECT_EQ(call("response_set_body", {16, 1000}).kind, HostReply::Kind::resume);
  EXPECT_EQ(call("response_set_body", {16, 1001}).kind, HostReply::Kind::trap);
  EXPECT_EQ(call_.refused(), "the function sent more than 1000B");
}

TEST(HandleEntries, CallInitializeFirstWhenItIsThere) {
  const EnvironmentTable none;
  const HandleEntries entries =
      HandleEntries::find(manifest_with({"a", "_initialize", "b"})).value();
  HandleCall call({.entries = entries, .target = {2, &none}, .on_log = {}});
  const GuestMemory memory(nullptr, 0);

  EXPECT_EQ(call.next_call(memory).value()->entry, 1U);
  EXPECT_EQ(call.next_call(memory).value()->entry, 2U);
  EXPECT_FALSE(call.next_call(memory).value());
}

TEST(HandleEntries, ChooseHandleThenTheFunctionsNameThenTheOnlyOne) {
  const auto chosen = [](std::vector<std::string> exports) {
    return HandleEntries::find(manifest_with(std::move(exports))).value().choose("shop");
  };
  EXPECT_EQ(chosen({"shop", "handle"}), 1U);
  EXPECT_EQ(chosen({"hello", "shop"}), 1U);
  EXPECT_EQ(chosen({"_initialize", "hello"}), 1U);
  EXPECT_EQ(chosen({"hello", "bonjour"}), std::nullopt);
}

TEST(HandleEntries, RefuseModulesWithNothingToCall) {
  const Result<HandleEntries> entries = HandleEntries::find(manifest_with({"_initialize"}));
  ASSERT_FALSE(entries);
  EXPECT_EQ(entries.error().message, "no export handle of type () -> ()");
}

TEST(HandleEntries, TellImportsOfWasiFromTheirOwn) {
  Manifest manifest = manifest_with({"handle"});
  manifest.imports = {{"env", "log", {}}, {"wasi_snapshot_preview1", "fd_write", {}}};
  const HandleEntries entries = HandleEntries::find(manifest).value();
  const EnvironmentTable none;
  int process = 0;
  HandleCall call({.entries = entries, .target = {0, &none}, .wasi = &process, .on_log = {}});

  EXPECT_TRUE(entries.uses_wasi());
  EXPECT_EQ(call.context(0), &call);
  EXPECT_EQ(call.context(1), &process);
}

}  // namespace
}  // namespace nur
