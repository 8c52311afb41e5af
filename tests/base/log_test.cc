#include "base/log.h"

#include <climits>
#include <unistd.h>

#include <gtest/gtest.h>

namespace nur {
namespace {

TEST(Printable, LeavesTextAsItIs) {
  EXPECT_EQ(printable(""), "");
  EXPECT_EQ(printable("plain text, \"quoted\" \\ too"), "plain text, \"quoted\" \\ too");
  EXPECT_EQ(printable("gr\u00fc\u00df \u20ac \U0001f600"), "gr\u00fc\u00df \u20ac \U0001f600");
}

TEST(Printable, KeepsControlCharactersOutOfALine) {
  EXPECT_EQ(printable("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(printable("\x1b[31m\x7f"), "\\x1b[31m\\x7f");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(printable("\xc2\x9b"), "\\x9b") << "a control character above ASCII";
}

TEST(Printable, ReplacesInvalidUtf8) {
  constexpr const char* kReplacement = "\xef\xbf\xbd";
  EXPECT_EQ(printable("\xff"), kReplacement);
  EXPECT_EQ(printable("\xc3"), kReplacement) << "cut short";
  EXPECT_EQ(printable("\xc0\x80"), std::string(kReplacement) + kReplacement) << "overlong";
  EXPECT_EQ(printable("\xed\xa0\x80").substr(0, 3), kReplacement) << "a surrogate";
  EXPECT_EQ(printable("\xf4\x90\x80\x80").substr(0, 3), kReplacement) << "above U+10FFFF";
}

TEST(Printable, CutsLongText) {
  EXPECT_EQ(printable("12345", 5), "12345");
  EXPECT_EQ(printable("123456", 5), "12345...");
}

TEST(Log, CutsALineThatWouldNotBeOneWrite) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int before = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  start_logging(LogLevel::info);
  spdlog::info("{}", std::string(10'000, 'x'));
  ::dup2(before, STDERR_FILENO);
  ::close(ends[1]);

  std::string line(20'000, '\0');
  const ssize_t got = ::read(ends[0], line.data(), line.size());

  ASSERT_EQ(got, PIPE_BUF);
  line.resize(static_cast<std::size_t>(got));
  EXPECT_TRUE(line.ends_with("xxx...\n"));
  ::close(ends[0]);
  ::close(before);
}

}  // namespace
}  // namespace nur
