#include "host/sandbox/restore.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace nur {
namespace {

constexpr std::size_t kBytes = 8192;

struct alignas(64) Bytes {
  std::byte at[kBytes];
};

TEST(RestoreChanged, FindsEveryByteThatDiffers) {
  std::mt19937 random(3);
  Bytes pristine;
  for (std::byte& byte : pristine.at) byte = static_cast<std::byte>(random());
  Bytes zero{};
  for (std::size_t at = 0; at < kBytes; at += 1 + random() % 5) {
    Bytes written = pristine;
    written.at[at] ^= std::byte{0x40};
    restore_changed(written.at, pristine.at, kBytes);
    ASSERT_TRUE(std::ranges::equal(written.at, pristine.at)) << at;

    Bytes cleared{};
    cleared.at[at] = std::byte{1};
    restore_changed(cleared.at, nullptr, kBytes);
    ASSERT_TRUE(std::ranges::equal(cleared.at, zero.at)) << at;
  }
}

TEST(RestoreChanged, LeavesAloneWhatIsBehind) {
  Bytes written;
  std::ranges::fill(written.at, std::byte{7});

  restore_changed(written.at, nullptr, 4096);

  EXPECT_EQ(written.at[4095], std::byte{0});
  EXPECT_EQ(written.at[4096], std::byte{7});
}

}  // namespace
}  // namespace nur
