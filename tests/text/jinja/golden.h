// Reads the goldens of tests/golden/chat_templates.
#pragma once

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

namespace tome {

inline nlohmann::ordered_json ReadGolden(const std::string& name) {
  std::ifstream file(std::filesystem::path(TOME_SOURCE_DIR) / "tests/golden/chat_templates" / name);
  EXPECT_TRUE(file.good()) << name;
  return nlohmann::ordered_json::parse(file);
}

// Returns the clock of the goldens: 2025-03-09 14:05:06, a Sunday.
inline std::tm GoldenTime() {
  std::tm time{};
  time.tm_year = 125;
  time.tm_mon = 2;
  time.tm_mday = 9;
  time.tm_hour = 14;
  time.tm_min = 5;
  time.tm_sec = 6;
  time.tm_wday = 0;
  time.tm_yday = 67;
  return time;
}

inline std::string Fnv1a(const std::string& bytes) {
  uint64_t value = 0xCBF29CE484222325;
  for (const char byte : bytes) {
    value = (value ^ static_cast<unsigned char>(byte)) * 0x100000001B3;
  }
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace tome
