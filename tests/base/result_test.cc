#include "base/result.h"

#include <memory>

#include <gtest/gtest.h>

namespace nur {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(ErrorKind::invalid_input, "{} is odd", number);
  return number / 2;
}

Result<void> check_even(int number) {
  NUR_TRY(half(number));
  return {};
}

Result<std::string> quarter(int number) {
  const int first = NUR_TRY(half(number));
  NUR_TRY(check_even(first));
  return std::to_string(NUR_TRY(half(first)));
}

TEST(Result, TakesValuesThrough) { EXPECT_EQ(quarter(12).value_or(""), "3"); }

TEST(Result, HandsTheFirstErrorOn) {
  ASSERT_FALSE(quarter(6));
  EXPECT_EQ(quarter(6).error().message, "3 is odd");
  EXPECT_EQ(quarter(7).error().message, "7 is odd");
  EXPECT_EQ(quarter(7).error().kind, ErrorKind::invalid_input);
}

TEST(Result, TellsWhatWasBeingDone) {
  EXPECT_EQ(in_context(half(7), "halving").error().message, "halving: 7 is odd");
  EXPECT_EQ(in_context(half(8), "halving").value_or(0), 4);
}

TEST(Result, CarriesErrorsOfOtherTypes) {
  const auto refuse = []() -> std::expected<int, char> { return std::unexpected('x'); };
  const auto through = [&]() -> std::expected<std::string, char> {
    return std::to_string(NUR_TRY(refuse()));
  };
  ASSERT_FALSE(through());
  EXPECT_EQ(through().error(), 'x');
}

TEST(Result, MovesWhatCannotBeCopied) {
  const auto make = [](int value) -> Result<std::unique_ptr<int>> {
    return std::make_unique<int>(value);
  };
  const auto through = [&]() -> Result<int> {
    const std::unique_ptr<int> made = NUR_TRY(make(5));
    return *made;
  };
  EXPECT_EQ(through().value_or(0), 5);
}

}  // namespace
}  // namespace nur
