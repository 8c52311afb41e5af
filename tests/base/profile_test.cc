#include "base/profile.h"

#include <cstring>

#include <gtest/gtest.h>

namespace nur {
namespace {

ProfileTable two_units() {
  ProfileTable table;
  table.region = {64, 5 * 8};
  table.wasm_sha256 = "a module";
  table.compiler = "g++ 12";
  table.flags = "-O2";
  table.units = {{"m0.c", sha256("zero"), 1, 2, {{1, 2, 3, 2, 0}, {4, 5, 6, 1, 2}}},
                 {"m1.c", sha256("one"), 1, 3, {{7, 8, 9, 2, 3}}}};
  return table;
}

std::string file_of(const ProfileTable& table, const std::vector<std::uint64_t>& counters) {
  return encode_profile(encode_profile_table(table),
                        {reinterpret_cast<const char*>(counters.data()), counters.size() * 8});
}

std::string refusal_of(std::string_view file) {
  const Result<Profile> profile = read_profile(file);
  if (profile) return "";
  EXPECT_EQ(profile.error().kind, ErrorKind::invalid_input);
  return profile.error().message;
}

TEST(Profile, IsReadAsItWasWritten) {
  const Result<Profile> profile = read_profile(file_of(two_units(), {1, 2, 3, 4, 5}));

  ASSERT_TRUE(profile) << profile.error().message;
  EXPECT_EQ(profile->counters, (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(profile->table.units, two_units().units);
  EXPECT_EQ(profile->table.wasm_sha256, "a module");
  EXPECT_EQ(profile->table.compiler, "g++ 12");
  EXPECT_EQ(profile->table.flags, "-O2");
}

TEST(Profile, TellsTheHostWhereTheCountersAre) {
  const Result<CounterRegion> region = counter_region(encode_profile_table(two_units()));

  ASSERT_TRUE(region) << region.error().message;
  EXPECT_EQ(region->address, 64U);
  EXPECT_EQ(region->bytes, 40U);
}

TEST(Profile, IsRefusedWhenItIsAnotherFile) {
  EXPECT_NE(refusal_of("").find("not a profile"), std::string::npos);
  EXPECT_NE(refusal_of("\x7f"
                       "ELF and more")
                .find("not a profile"),
            std::string::npos);
}

TEST(Profile, IsRefusedWithAnyByteChangedOrMissing) {
  const std::string whole = file_of(two_units(), {1, 2, 3, 4, 5});
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    EXPECT_NE(refusal_of(changed), "") << at;
    EXPECT_NE(refusal_of(whole.substr(0, at)), "") << at;
  }
}

TEST(Profile, IsRefusedWhenItsCountersAreNotAsManyAsItSays) {
  EXPECT_NE(refusal_of(file_of(two_units(), {1, 2, 3, 4})), "");
  EXPECT_NE(refusal_of(file_of(two_units(), {1, 2, 3, 4, 5, 6})), "");
}

TEST(Profile, IsRefusedWhenAFunctionCountsOutsideOfTheRegion) {
  ProfileTable table = two_units();
  table.units[1].functions[0].first_counter = 4;
  EXPECT_NE(refusal_of(file_of(table, {1, 2, 3, 4, 5})), "");
  table.units[1].functions[0].first_counter = 0xffffffff;
  EXPECT_NE(refusal_of(file_of(table, {1, 2, 3, 4, 5})), "");
}

TEST(CounterRegion, IsRefusedWhenItIsNoWholeWordsOrTooLarge) {
  for (const CounterRegion region :
       {CounterRegion{4, 8}, CounterRegion{8, 12}, CounterRegion{8, kCounterBytesMax + 8}}) {
    ProfileTable table = two_units();
    table.region = region;
    EXPECT_FALSE(counter_region(encode_profile_table(table))) << region.address;
  }
  EXPECT_FALSE(counter_region("nur-counters-v1"));
}

}  // namespace
}  // namespace nur
