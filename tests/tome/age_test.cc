#include "age.h"

#include <gtest/gtest.h>

namespace tome {
namespace {

TEST(AgeTest, IsSaidInTheLargestUnit) {
  using namespace std::chrono;
  const auto now = sys_days(2026y / November / 30) + hours(6);
  EXPECT_EQ(Age("2026-11-27T05:59:04Z", now), "3 days ago");
  EXPECT_EQ(Age("2026-11-29T06:00:00Z", now), "1 day ago");
  EXPECT_EQ(Age("2026-11-29T06:00:01Z", now), "23 hours ago");
  EXPECT_EQ(Age("2026-11-30T05:58:59Z", now), "1 minute ago");
  EXPECT_EQ(Age("2026-11-30T05:59:04Z", now), "just now");
  EXPECT_EQ(Age("2025-11-30T06:00:00Z", now), "365 days ago");
}

TEST(AgeTest, WhatIsNoPastTimeIsSaidSo) {
  const std::chrono::sys_seconds now{};
  EXPECT_EQ(Age("2026-11-27T05:59:04Z", now), "just now");
  for (const char* text :
       {"", "now", "2026-11-27", "2026-13-27T05:59:04Z", "2026-11-27T05:59:04+"}) {
    EXPECT_EQ(Age(text, now), "at an unknown time") << text;
  }
}

}  // namespace
}  // namespace tome
