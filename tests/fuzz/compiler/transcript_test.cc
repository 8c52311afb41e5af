#include "tests/fuzz/compiler/transcript.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace nur::fuzz {
namespace {

Comparison compare_texts(std::string_view nur, std::string_view v8, bool tolerate_nans = false) {
  return compare(parse_transcript(nur), parse_transcript(v8), tolerate_nans);
}

TEST(Comparison, AgreesWhenAllIsTheSame) {
  const std::string_view text =
      "group\ncall 0 i00000001\nlog 2 f7fc00000\nreturn i00000002\nstate 1 ab i00000003\n"
      "call 0 i00000004\ntrap unreachable\n";

  const Comparison result = compare_texts(text, text);

  EXPECT_EQ(result.mismatch, "");
  EXPECT_EQ(result.calls, 2U);
  EXPECT_EQ(result.traps, 1U);
  EXPECT_EQ(result.incomparable, 0U);
}

TEST(Comparison, SeesAnotherResult) {
  EXPECT_EQ(compare_texts("group\ncall 3 i00000001\nreturn i00000002\nstate 0 -\n",
                          "group\ncall 3 i00000001\nreturn i00000003\nstate 0 -\n")
                .mismatch,
            "group 0, call 3 i00000001: end: nur returned i00000002 / v8 returned i00000003");
}

TEST(Comparison, SeesAnotherMemoryOrGlobal) {
  const std::string_view one = "group\ncall 0\nreturn\nstate 1 ab i00000000\n";
  EXPECT_NE(compare_texts(one, "group\ncall 0\nreturn\nstate 1 cd i00000000\n").mismatch, "");
  EXPECT_NE(compare_texts(one, "group\ncall 0\nreturn\nstate 2 ab i00000000\n").mismatch, "");
  EXPECT_NE(compare_texts(one, "group\ncall 0\nreturn\nstate 1 ab i00000001\n").mismatch, "");
}

TEST(Comparison, SeesAnotherLog) {
  const std::string_view one = "group\ncall 0\nlog 1 i00000001\nreturn\nstate 0 -\n";
  EXPECT_NE(compare_texts(one, "group\ncall 0\nlog 2 i00000001\nreturn\nstate 0 -\n").mismatch, "");
  EXPECT_NE(compare_texts(one, "group\ncall 0\nreturn\nstate 0 -\n").mismatch, "");
  // Before a trap, too.
  EXPECT_NE(compare_texts("group\ncall 0\nlog 1 i00000001\ntrap unreachable\n",
                          "group\ncall 0\ntrap unreachable\n")
                .mismatch,
            "");
}

TEST(Comparison, SeesATrapInOneAlone) {
  EXPECT_NE(compare_texts("group\ncall 0\ntrap unreachable\n", "group\ncall 0\nreturn\nstate 0 -\n")
                .mismatch,
            "");
}

TEST(Comparison, SeesMissingCallsAndGroups) {
  const std::string_view two =
      "group\ncall 0\nreturn\nstate 0 -\ngroup\ncall 1\nreturn\nstate 0 -\n";
  const std::string_view one = "group\ncall 0\nreturn\nstate 0 -\n";
  EXPECT_NE(compare_texts(two, one).mismatch, "");
  EXPECT_NE(compare_texts(one, two).mismatch, "");
  EXPECT_NE(compare_texts(one, "").mismatch, "");
}

TEST(Comparison, SeesAnEngineThatDied) {
  EXPECT_NE(
      compare_texts("group\ncall 0\nlost died of signal 11\n", "group\ncall 0\nreturn\nstate 0 -\n")
          .mismatch,
      "");
  // Even if both did not get to the end.
  EXPECT_NE(
      compare_texts("group\ncall 0\nlost died of signal 11\n", "group\ncall 0\ntimeout\n").mismatch,
      "");
}

TEST(Comparison, DoesNotLetNurTakeForever) {
  EXPECT_NE(
      compare_texts("group\ncall 0\ntimeout\n", "group\ncall 0\nreturn\nstate 0 -\n").mismatch, "");
}

TEST(Comparison, LeavesAGroupAtAStackOverflow) {
  const Comparison result = compare_texts(
      "group\ncall 0\ntrap call stack exhausted\ncall 1\nreturn i00000001\nstate 0 -\n"
      "group\ncall 2\nreturn\nstate 0 -\n",
      "group\ncall 0\nreturn\nstate 0 -\ncall 1\nreturn i00000002\nstate 0 -\n"
      "group\ncall 2\nreturn\nstate 0 -\n");

  EXPECT_EQ(result.mismatch, "");
  EXPECT_EQ(result.incomparable, 1U);
  EXPECT_EQ(result.calls, 2U);
}

TEST(Comparison, GoesOnBehindAStackOverflow) {
  EXPECT_NE(compare_texts("group\ncall 0\ntrap call stack exhausted\n"
                          "group\ncall 1\nreturn i00000001\nstate 0 -\n",
                          "group\ncall 0\ntrap Maximum call stack size exceeded\n"
                          "group\ncall 1\nreturn i00000002\nstate 0 -\n")
                .mismatch,
            "");
}

TEST(Comparison, StopsWhereV8Was) {
  const Comparison result =
      compare_texts("group\ncall 0\nreturn\nstate 0 -\ngroup\ncall 1\nreturn\nstate 0 -\n",
                    "group\ncall 0\ntimeout\n");

  EXPECT_EQ(result.mismatch, "");
  EXPECT_EQ(result.incomparable, 1U);
}

TEST(TrapRule, HoldsReasonsAgainstEachOther) {
  EXPECT_TRUE(is_same_trap("unreachable", "unreachable"));
  EXPECT_TRUE(is_same_trap("integer divide by zero", "divide by zero"));
  EXPECT_TRUE(is_same_trap("integer divide by zero", "remainder by zero"));
  EXPECT_TRUE(is_same_trap("integer overflow", "divide result unrepresentable"));
  EXPECT_TRUE(is_same_trap("integer overflow", "float unrepresentable in integer range"));
  EXPECT_TRUE(
      is_same_trap("invalid conversion to integer", "float unrepresentable in integer range"));
  EXPECT_TRUE(is_same_trap("out of bounds memory access", "memory access out of bounds"));
  EXPECT_TRUE(is_same_trap("out of bounds memory access", "data segment out of bounds"));
  EXPECT_TRUE(is_same_trap("out of bounds table access", "table index is out of bounds"));
  EXPECT_TRUE(is_same_trap("indirect call type mismatch", "table index is out of bounds"));
  EXPECT_TRUE(
      is_same_trap("indirect call type mismatch", "null function or function signature mismatch"));

  EXPECT_FALSE(is_same_trap("unreachable", "divide by zero"));
  EXPECT_FALSE(is_same_trap("integer overflow", "divide by zero"));
  EXPECT_FALSE(is_same_trap("out of bounds table access", "memory access out of bounds"));
  EXPECT_FALSE(is_same_trap("out of bounds memory access", "unreachable"));
  EXPECT_FALSE(is_same_trap("unreachable", "unexpected TypeError: unreachable"));
}

TEST(Words, AreComparedBitByBit) {
  EXPECT_TRUE(is_same_word("f7fc00000", "f7fc00000", false));
  EXPECT_FALSE(is_same_word("f7fc00000", "fffc00000", false));
  EXPECT_FALSE(is_same_word("f00000000", "f80000000", false));
}

TEST(Words, MayDifferInBitsOfNansAlone) {
  EXPECT_TRUE(is_same_word("f7fc00000", "fffc00001", true));
  EXPECT_TRUE(is_same_word("F7ff8000000000000", "Ffff8000000000001", true));
  EXPECT_TRUE(
      is_same_word("v7fc00000000000007fc0000000000001", "vffc0000000000000ffc0000000000001", true));

  EXPECT_FALSE(is_same_word("f7f800000", "f7fc00000", true));  // an infinity
  EXPECT_FALSE(is_same_word("i7fc00000", "iffc00000", true));  // an integer
  EXPECT_FALSE(is_same_word("f7fc00000", "f00000000", true));
  EXPECT_FALSE(
      is_same_word("v7fc00000000000007fc0000000000001", "vffc0000000000000ffc0000000000002", true));
}

}  // namespace
}  // namespace nur::fuzz
