#include "host/config/suggestion.h"

#include <array>

#include <gtest/gtest.h>

namespace nur {
namespace {

using namespace std::string_view_literals;

constexpr std::array kKnown{"environment"sv, "args"sv, "limits"sv, "timeout"sv, "memory"sv};
constexpr std::array kSynonyms{Synonym{"env", "environment"}};

TEST(Suggestion, FindsALetterThatIsMissing) {
  EXPECT_EQ(did_you_mean("timout", kKnown), "timeout");
}
TEST(Suggestion, FindsALetterTooMany) { EXPECT_EQ(did_you_mean("memorry", kKnown), "memory"); }
TEST(Suggestion, FindsAWrongLetter) { EXPECT_EQ(did_you_mean("limitz", kKnown), "limits"); }
TEST(Suggestion, FindsNeighboursThatChangedPlaces) {
  EXPECT_EQ(did_you_mean("agrs", kKnown), "args");
}
TEST(Suggestion, TakesTheNearestOfSeveral) {
  EXPECT_EQ(did_you_mean("limit", std::array{"limb"sv, "limits"sv, "limes"sv}), "limits");
}
TEST(Suggestion, LooksAwayFromCase) { EXPECT_EQ(did_you_mean("TimeOut", kKnown), "timeout"); }
TEST(Suggestion, KnowsWhatOthersCallIt) {
  EXPECT_EQ(did_you_mean("env", kKnown, kSynonyms), "environment");
}
TEST(Suggestion, HasNoneForSomethingElse) {
  EXPECT_EQ(did_you_mean("colour", kKnown, kSynonyms), std::nullopt);
}
TEST(Suggestion, HasNoneForShortNamesThatDifferInHalf) {
  EXPECT_EQ(did_you_mean("xy", std::array{"ab"sv}), std::nullopt);
}
TEST(Suggestion, DoesNotCompareVeryLongNames) {
  EXPECT_EQ(did_you_mean(std::string(65, 'a'), std::array{"args"sv}), std::nullopt);
}

}  // namespace
}  // namespace nur
