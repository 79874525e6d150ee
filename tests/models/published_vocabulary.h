// Finds the vocabularies that the llama.cpp project publishes. Tests of them have the name of one
// as their parameter.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace tome {

class PublishedVocabularyTest : public testing::TestWithParam<const char*> {
 protected:
  // Skips the test where the vocabulary is missing. In CI, the test fails then.
  void SetUp() override {
    const char* shared = std::getenv("TOME_SHARED");
    path_ = std::filesystem::path(shared == nullptr ? "." : shared) / "data" / "vocab" /
            (std::string("ggml-vocab-") + GetParam() + ".gguf");
    if (std::filesystem::exists(path_)) return;
    ASSERT_EQ(std::getenv("CI"), nullptr) << path_ << " is missing";
    GTEST_SKIP() << path_ << " is missing; set TOME_SHARED to the folder of shared data";
  }

  std::filesystem::path path_;
};

inline std::string VocabularyName(const testing::TestParamInfo<const char*>& vocabulary) {
  std::string name = vocabulary.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace tome
