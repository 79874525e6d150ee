#include "tome/generate/language_model.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/models/golden_model.h"

namespace tome {
namespace {

class LanguageModelTest : public testing::Test {
 protected:
  // A golden model, a tokenizer of letters and, where it is not empty, a chat template.
  std::filesystem::path Write(const std::string& name, const std::string& chat_template) {
    WriteGoldenModel("llama", folder_ / name);
    WriteLetterTokenizer(folder_ / name);
    if (!chat_template.empty())
      std::ofstream(folder_ / name / "chat_template.jinja") << chat_template;
    return folder_ / name;
  }

  TempFolder folder_;
};

// Issue: the memory of the model that was opened was kept under the key of the file that replaced
// its own in the meantime.
TEST_F(LanguageModelTest, TheKeyIsThatOfTheFilesThatWereOpened) {
  const auto path = Write("model", "");
  const auto opened = LanguageModel::Open(path, 1);
  const auto same = LanguageModel::Open(Write("same", ""), 1);

  const std::string weights = ReadText(path / "model.safetensors");
  std::string others = weights;
  others.back() = static_cast<char>(others.back() ^ 1);
  std::ofstream(folder_ / "new") << others;
  std::filesystem::rename(folder_ / "new", path / "model.safetensors");
  const std::string config = ReadText(path / "config.json");
  std::ofstream(folder_ / "new") << config << "\n\n";
  std::filesystem::rename(folder_ / "new", path / "config.json");

  EXPECT_EQ(opened->FilesKey().ToString(), same->FilesKey().ToString());
  EXPECT_NE(LanguageModel::Open(path, 1)->FilesKey().ToString(), same->FilesKey().ToString());
  // What was loaded still runs.
  std::filesystem::remove_all(path);
  Memory memory = opened->model().NewMemory({.max_tokens = 8});
  const std::vector<TokenId> tokens{1, 2, 3};
  const BatchItem item{.memory = &memory, .tokens = tokens, .logits = LogitsOf::kLast};
  EXPECT_EQ(opened->model().Forward({&item, 1}, opened->compute()).shape()[0], 1);
}

}  // namespace
}  // namespace tome
