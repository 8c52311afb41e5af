#include "host/sandbox/machine_limits.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

// A machine of files.
class MachineLimitsTest : public ::testing::Test {
 protected:
  void has(const std::string& path, std::string_view text) {
    const Path file = root_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    ASSERT_TRUE(write_file(file, text));
  }
  MachineLimits read() { return read_machine_limits(root_.path()); }

  ScratchDir root_ = *ScratchDir::create("nur-machine-");
};

TEST_F(MachineLimitsTest, AreTheKernelsOwnWhenNothingCanBeRead) {
  EXPECT_EQ(read(), MachineLimits{});
  EXPECT_EQ(read().mappings, 65530U);
}

TEST_F(MachineLimitsTest, AreReadFromProc) {
  has("proc/self/limits",
      "Limit                     Soft Limit           Hard Limit           Units     \n"
      "Max address space         68719476736          unlimited            bytes     \n");
  has("proc/meminfo", "MemTotal:       24000000 kB\nMemFree: 1 kB\n");
  has("proc/sys/vm/max_map_count", "1048576\n");

  EXPECT_EQ(read().address_bytes, 68719476736U);
  EXPECT_EQ(read().memory_bytes, std::uint64_t{24000000} * 1024);
  EXPECT_EQ(read().mappings, 1048576U);
}

TEST_F(MachineLimitsTest, KnowNoLimitWhenItSaysUnlimited) {
  has("proc/self/limits",
      "Max address space         unlimited            unlimited            bytes\n");

  EXPECT_EQ(read().address_bytes, std::uint64_t{1} << 47);
}

TEST_F(MachineLimitsTest, AreThoseOfTheGroupAndOfAllAboveIt) {
  has("proc/self/cgroup", "0::/system.slice/nur.service\n");
  has("sys/fs/cgroup/system.slice/nur.service/memory.max", "max\n");
  EXPECT_EQ(read().memory_bytes, UINT64_MAX);

  has("sys/fs/cgroup/system.slice/memory.max", "2000000\n");
  EXPECT_EQ(read().memory_bytes, 2000000U);

  has("sys/fs/cgroup/system.slice/nur.service/memory.max", "1000000\n");
  EXPECT_EQ(read().memory_bytes, 1000000U);
}

// Of a container that sees its own group as the root but the host's path.
TEST_F(MachineLimitsTest, AreFoundAboveAGroupThatIsNotThere) {
  has("proc/self/cgroup", "0::/docker/0123456789abcdef\n");
  has("sys/fs/cgroup/memory.max", "3000000\n");

  EXPECT_EQ(read().memory_bytes, 3000000U);
}

TEST_F(MachineLimitsTest, AreThoseOfAMemoryGroupOfVersionOne) {
  has("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:hugetlb,memory:/jobs/one\n1:name=systemd:/y\n");
  has("sys/fs/cgroup/memory/jobs/one/memory.limit_in_bytes", "9223372036854771712\n");
  has("sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", "5000000\n");
  has("sys/fs/cgroup/x/memory.limit_in_bytes", "1\n");

  EXPECT_EQ(read().memory_bytes, 5000000U);
}

TEST_F(MachineLimitsTest, ArePassedOverWhenMalformed) {
  has("proc/self/cgroup", "\nnonsense\n0:\n0::\n");
  has("proc/sys/vm/max_map_count", "many\n");
  has("proc/self/limits", "Max address space\n");
  has("sys/fs/cgroup/memory.max", "");

  EXPECT_EQ(read(), MachineLimits{});
}

TEST(SlotLimits, LeaveSomethingForAllElseAndDivideMemoryOnly) {
  const SlotAmounts limits =
      slot_limits({.address_bytes = 1600, .memory_bytes = 800, .mappings = 160}, 2);

  EXPECT_EQ(limits.address_bytes, 1500U);
  EXPECT_EQ(limits.mappings, 150U);
  EXPECT_EQ(limits.memory_bytes, 300U);
}

TEST(SlotLimits, OfThisMachineHaveRoomForAnInstance) {
  const SlotAmounts limits = slot_limits(read_machine_limits(), 1);

  EXPECT_GT(limits.mappings, 10U);
  EXPECT_GT(limits.memory_bytes, 1U << 20);
}

}  // namespace
}  // namespace nur
