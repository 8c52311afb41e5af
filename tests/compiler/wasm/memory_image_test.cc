#include "compiler/wasm/memory_image.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nur {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 30;

TEST(MemoryImage, IsEmptyWhenNothingOrOnlyZerosWereWritten) {
  MemoryImage image(kNoLimit);
  ASSERT_TRUE(image.write(10, ""));
  ASSERT_TRUE(image.write(0, std::string(1 << 20, '\0')));

  EXPECT_THAT(image.take_runs(), IsEmpty());
}

TEST(MemoryImage, ConsistsOfWholePages) {
  MemoryImage image(kNoLimit);
  ASSERT_TRUE(image.write(4096 + 10, "hello"));

  const auto runs = image.take_runs();

  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_EQ(runs[0].memory_offset, 4096U);
  ASSERT_EQ(runs[0].bytes.size(), 4096U);
  EXPECT_EQ(runs[0].bytes.substr(10, 5), "hello");
  EXPECT_EQ(runs[0].bytes.find_first_not_of('\0'), 10U);
}

TEST(MemoryImage, JoinsNeighboursAndLeavesGapsOut) {
  MemoryImage image(kNoLimit);
  ASSERT_TRUE(image.write(4 * 4096, "d"));
  ASSERT_TRUE(image.write(4090, std::string(10, 'x')));

  const auto runs = image.take_runs();

  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_EQ(runs[0].memory_offset, 0U);
  EXPECT_EQ(runs[0].bytes.size(), 2 * 4096U);
  EXPECT_EQ(runs[0].bytes.substr(4090, 10), std::string(10, 'x'));
  EXPECT_EQ(runs[1].memory_offset, 4 * 4096U);
}

TEST(MemoryImage, LetsLaterWritesWin) {
  MemoryImage image(kNoLimit);
  ASSERT_TRUE(image.write(0, "abcdef"));
  ASSERT_TRUE(image.write(2, "XY"));
  EXPECT_EQ(image.take_runs()[0].bytes.substr(0, 6), "abXYef");

  // Zeros win too, and a page of nothing else is left out.
  ASSERT_TRUE(image.write(0, "abc"));
  ASSERT_TRUE(image.write(0, std::string(3, '\0')));
  EXPECT_THAT(image.take_runs(), IsEmpty());
}

TEST(MemoryImage, ReachesTheLastByteOfTheAddressSpace) {
  MemoryImage image(kNoLimit);
  ASSERT_TRUE(image.write(0xffffffff, "z"));

  const auto runs = image.take_runs();

  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_EQ(runs[0].memory_offset, 0xfffff000U);
  EXPECT_EQ(runs[0].bytes.back(), 'z');
}

}  // namespace
}  // namespace nur
