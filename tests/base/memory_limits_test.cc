#include "tome/base/memory_limits.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/temp_folder.h"

namespace tome {
namespace {

// The fixture has its own /proc and /sys.
class MemoryLimitsTest : public testing::Test {
 protected:
  void Write(const std::string& path, const std::string& content) {
    std::filesystem::create_directories((folder_ / path).parent_path());
    folder_.Write(path, content);
  }
  void WriteMachine(int64_t available_kib) {
    Write("proc/meminfo", "MemTotal:       99999999 kB\nMemFree:  1 kB\nMemAvailable:   " +
                              std::to_string(available_kib) + " kB\n");
  }
  // Writes a control group of version 2.
  void WriteGroup(const std::string& group, const std::string& max, int64_t current,
                  int64_t inactive_file) {
    const std::string folder = "sys/fs/cgroup" + group + "/";
    Write(folder + "memory.max", max + "\n");
    Write(folder + "memory.current", std::to_string(current) + "\n");
    Write(folder + "memory.stat", "anon 77\nfile 88\ninactive_anon 5\ninactive_file " +
                                      std::to_string(inactive_file) + "\nactive_file 9\n");
  }
  void WriteMount(const std::string& root = "/") {
    Write("proc/self/mountinfo",
          "22 1 0:21 / /proc rw - proc proc rw\n"
          "31 22 0:28 " +
              root + " /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
  }
  std::optional<int64_t> Available() { return AvailableMemory(folder_.path()); }

  TempFolder folder_;
};

TEST_F(MemoryLimitsTest, WithoutGroupsItIsWhatTheMachineHasFree) {
  EXPECT_EQ(Available(), std::nullopt);
  WriteMachine(1000);
  EXPECT_EQ(Available(), 1'024'000);
  Write("proc/self/cgroup", "0::/a\n");
  EXPECT_EQ(Available(), 1'024'000);
  WriteMount();
  EXPECT_EQ(Available(), 1'024'000);
}

TEST_F(MemoryLimitsTest, TheGroupsLimitHoldsLessWhatIsUsedAndStays) {
  WriteMachine(1000);
  WriteMount();
  Write("proc/self/cgroup", "0::/a/b\n");
  WriteGroup("/a/b", "600000", 250'000, 50'000);
  EXPECT_EQ(Available(), 400'000);
  WriteGroup("/a/b", "max", 250'000, 50'000);
  EXPECT_EQ(Available(), 1'024'000);
  WriteGroup("/a/b", "100", 250'000, 50'000);
  EXPECT_EQ(Available(), 0);
  WriteGroup("/a/b", "600000", 10, 50'000);
  EXPECT_EQ(Available(), 600'000);
  WriteMachine(100);
  EXPECT_EQ(Available(), 102'400);
}

TEST_F(MemoryLimitsTest, EveryGroupAroundItLimitsToo) {
  WriteMount();
  Write("proc/self/cgroup", "0::/a/b\n");
  WriteGroup("/a/b", "600000", 200'000, 0);
  WriteGroup("/a", "700000", 500'000, 0);
  EXPECT_EQ(Available(), 200'000);
  WriteGroup("", "650000", 600'000, 0);  // the container's own group, which it calls the root
  EXPECT_EQ(Available(), 50'000);
}

TEST_F(MemoryLimitsTest, TheLimitThatThrottlesHoldsAsWell) {
  WriteMount();
  Write("proc/self/cgroup", "0::/a\n");
  WriteGroup("/a", "max", 100'000, 0);
  Write("sys/fs/cgroup/a/memory.high", "300000\n");
  EXPECT_EQ(Available(), 200'000);
}

TEST_F(MemoryLimitsTest, AContainersOwnGroupIsTheRoot) {
  WriteGroup("", "500000", 100'000, 0);
  WriteMount();
  Write("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(Available(), 400'000);
  // The hierarchy is mounted from outside the container, under the group's name there.
  WriteMount("/docker/c0ffee");
  Write("proc/self/cgroup", "0::/docker/c0ffee\n");
  EXPECT_EQ(Available(), 400'000);
  Write("proc/self/cgroup", "0::/docker/c0ffee/inner\n");
  WriteGroup("/inner", "300000", 100'000, 0);
  EXPECT_EQ(Available(), 200'000);
  // The process is in a group that cannot be seen from the container.
  Write("proc/self/cgroup", "0::/../other\n");
  EXPECT_EQ(Available(), 400'000);
  Write("proc/self/cgroup", "0::/docker/other\n");
  EXPECT_EQ(Available(), 400'000);
}

TEST_F(MemoryLimitsTest, VersionOneHasItsOwnFiles) {
  WriteMachine(1'000'000'000);
  Write("proc/self/mountinfo",
        "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
        "35 31 0:32 / /sys/fs/cgroup/the\\040memory rw,relatime - cgroup cgroup rw,memory\n"
        "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n");
  Write("proc/self/cgroup", "9:name=systemd:/\n4:cpu:/elsewhere\n3:hugetlb,memory:/a\n0::/\n");
  const std::string folder = "sys/fs/cgroup/the memory/";
  Write(folder + "a/memory.limit_in_bytes", "900000\n");
  Write(folder + "a/memory.usage_in_bytes", "500000\n");
  Write(folder + "a/memory.stat", "inactive_file 1\ntotal_inactive_file 100000\n");
  EXPECT_EQ(Available(), 500'000);
  // A missing limit is written as a very large one.
  Write(folder + "a/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(Available(), 1'024'000'000'000);
  Write(folder + "memory.limit_in_bytes", "800000\n");
  Write(folder + "memory.usage_in_bytes", "700000\n");
  EXPECT_EQ(Available(), 100'000);
}

TEST_F(MemoryLimitsTest, WhatMakesNoSenseIsPassedOver) {
  WriteMachine(1000);
  Write("proc/self/mountinfo",
        "\n1 2\n31 22 0:28 / /sys/fs/cgroup rw - cgroup2\nx - cgroup2 a b\n");
  Write("proc/self/cgroup", "\n0\n0:\n0::\n");
  Write("sys/fs/cgroup/memory.max", "12x\n");
  Write("sys/fs/cgroup/memory.current", "-\n");
  EXPECT_EQ(Available(), 1'024'000);
}

TEST(ThisMachinesMemoryTest, IsKnown) {
  const auto available = AvailableMemory();
  ASSERT_TRUE(available);
  EXPECT_GT(*available, 0);
}

}  // namespace
}  // namespace tome
