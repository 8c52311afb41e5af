#include "base/log.h"

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

}  // namespace
}  // namespace nur
