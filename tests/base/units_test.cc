#include "base/units.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

using namespace std::chrono_literals;

TEST(Durations, AreReadInEveryUnit) {
  EXPECT_EQ(parse_duration("5us").value_or(0ns), 5us);
  EXPECT_EQ(parse_duration("500ms").value_or(0ns), 500ms);
  EXPECT_EQ(parse_duration("2s").value_or(0ns), 2s);
  EXPECT_EQ(parse_duration("1.5s").value_or(0ns), 1500ms);
  EXPECT_EQ(parse_duration("3m").value_or(0ns), 3min);
  EXPECT_EQ(parse_duration("1h").value_or(0ns), 1h);
  EXPECT_EQ(parse_duration("0s").value_or(1ns), 0ns);
}

TEST(Durations, RefuseWhatIsNone) {
  for (const char* const text : {"", "5", "s", "-1s", "5 s", "5sec", "1e3s", "nans", "infs",
                                 "99999999999h", "5sx", "0x5s"}) {
    const Result<Nanoseconds> duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().kind, ErrorKind::invalid_input) << text;
  }
}

TEST(Durations, AreWrittenInTheLargestExactUnit) {
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(2s), "2s");
  EXPECT_EQ(format_duration(120s), "2m");
  EXPECT_EQ(format_duration(3h), "3h");
}

TEST(Sizes, AreReadInEveryUnit) {
  EXPECT_EQ(parse_size("7").value_or(0), 7u);
  EXPECT_EQ(parse_size("7B").value_or(0), 7u);
  EXPECT_EQ(parse_size("64KiB").value_or(0), 65536u);
  EXPECT_EQ(parse_size("16MiB").value_or(0), 16u << 20);
  EXPECT_EQ(parse_size("1GiB").value_or(0), 1u << 30);
}

TEST(Sizes, RefuseWhatIsNone) {
  for (const char* const text : {"", "KiB", "-1", "1.5MiB", "1MB", "1 MiB", "99999999999999999999",
                                 "9999999999999GiB", "1kib"}) {
    const Result<std::uint64_t> size = parse_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.error().kind, ErrorKind::invalid_input) << text;
  }
}

TEST(Sizes, AreWrittenInTheLargestExactUnit) {
  EXPECT_EQ(format_size(0), "0B");
  EXPECT_EQ(format_size(1000), "1000B");
  EXPECT_EQ(format_size(128u << 20), "128MiB");
  EXPECT_EQ(format_size(1536u << 20), "1536MiB");
}

}  // namespace
}  // namespace nur
