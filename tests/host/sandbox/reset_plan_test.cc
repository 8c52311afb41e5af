#include "host/sandbox/reset_plan.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace nur {
namespace {

// Sixteen pages, of which 2 and 3 are an image of 'a', 8 one of 'b'.
class ResetPlanTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kPages = 16;

  ResetPlanTest() {
    memory_.fill(std::byte{0xee});
    a_.fill(std::uint8_t{'a'});
    b_.fill(std::uint8_t{'b'});
  }

  // What page `page` holds throughout, or '?' when not all bytes of it are equal.
  [[nodiscard]] char page(std::size_t page) const {
    const std::byte* const begin = memory_.data() + page * kPageBytes;
    for (std::size_t i = 1; i < kPageBytes; ++i) {
      if (begin[i] != begin[0]) return '?';
    }
    return static_cast<char>(begin[0]);
  }
  [[nodiscard]] std::string pages() const {
    std::string all;
    for (std::size_t i = 0; i < kPages; ++i) {
      all += page(i) == '\xee' ? '-' : page(i) == 0 ? '0' : page(i);
    }
    return all;
  }

  // Slots and images are page-aligned.
  alignas(kPageBytes) std::array<std::byte, kPages * kPageBytes> memory_;
  alignas(kPageBytes) std::array<std::uint8_t, 2 * kPageBytes> a_;
  alignas(kPageBytes) std::array<std::uint8_t, kPageBytes> b_;
  const std::vector<nur_image_run> image_{{2 * kPageBytes, a_.size(), a_.data()},
                                          {8 * kPageBytes, b_.size(), b_.data()}};
  ResetPlan plan_{image_};
};

TEST_F(ResetPlanTest, CopiesTheImageAndZerosAndNothingElse) {
  plan_.add_memory(memory_.data(), {1, 4});
  plan_.add_memory(memory_.data(), {8, 10});
  plan_.run();

  EXPECT_EQ(pages(), "-0aa----b0------");
}

TEST_F(ResetPlanTest, CopiesAPartOfARunOfTheImage) {
  plan_.add_memory(memory_.data(), {3, 4});
  plan_.run();

  EXPECT_EQ(pages(), "---a------------");
}

TEST_F(ResetPlanTest, CopiesEverything) {
  plan_.add_memory(memory_.data(), {0, kPages});
  plan_.run();

  EXPECT_EQ(pages(), "00aa0000b0000000");
  EXPECT_EQ(plan_.run_count(), 5U);
}

TEST_F(ResetPlanTest, WithoutAnImageIsZeros) {
  ResetPlan plan({});
  plan.add_memory(memory_.data(), {14, 16});
  plan.run();

  EXPECT_EQ(pages(), "--------------00");
}

}  // namespace
}  // namespace nur
