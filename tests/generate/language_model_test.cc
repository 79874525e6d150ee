#include "tome/generate/language_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/expect_error.h"
#include "tests/models/golden_model.h"

namespace tome {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LanguageModelTest : public testing::Test {
 protected:
  // Writes a golden model, a tokenizer of single characters and, unless it is empty, a chat
  // template.
  std::filesystem::path Write(const std::string& name, const std::string& chat_template) {
    WriteGoldenModel("llama", folder_ / name);
    WriteLetterTokenizer(folder_ / name);
    if (!chat_template.empty())
      std::ofstream(folder_ / name / "chat_template.jinja") << chat_template;
    return folder_ / name;
  }

  TempFolder folder_;
};

// Regression test: the memory of an opened model was kept under the key of the file that had
// replaced the model's own file in the meantime.
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
  // The loaded model still runs.
  std::filesystem::remove_all(path);
  Memory memory = opened->model().NewMemory({.max_tokens = 8});
  const std::vector<TokenId> tokens{1, 2, 3};
  const BatchItem item{.memory = &memory, .tokens = tokens, .logits = LogitsOf::kLast};
  EXPECT_EQ(opened->model().Forward({&item, 1}, opened->compute()).shape()[0], 1);
}

TEST_F(LanguageModelTest, TheClockWritesNoPrompt) {
  const std::vector<ChatMessage> messages{{.role = "user", .content = "HI"}};
  const auto text_of = [&](const LanguageModel& model, const ChatOptions& options) {
    return model.tokenizer().Decode(model.EncodeChat(messages, options));
  };
  // The sources begin as the templates of Mistral Small and gpt-oss do, or as that of Llama 3.2.
  const std::string today = "D:{{ strftime_now('%Y-%m-%d') }}.{{ messages[0].content }}";
  const std::string llama =
      "{% if strftime_now is defined %}{% set date = strftime_now('%d %b %Y') %}"
      "{% else %}{% set date = '26 Jul 2024' %}{% endif %}D:{{ date }}.{{ messages[0].content }}";
  std::tm date{};
  date.tm_year = 126;
  date.tm_mon = 10;
  date.tm_mday = 30;
  for (const std::string& source : {today, llama}) {
    const auto model = LanguageModel::Open(Write("dated", source), 1);
    // The vocabulary ends at "`": characters that it lacks are left out.
    EXPECT_EQ(text_of(*model, {}), "D:.HI");
    EXPECT_THAT(text_of(*model, {.date = date}), AllOf(HasSubstr("30"), HasSubstr("2026")));
    EXPECT_THAT(model->chat_notes(), ElementsAre(AllOf(HasSubstr("date"), HasSubstr("dated"))));
  }
  const auto undated = LanguageModel::Open(Write("undated", "{{ messages[0].content }}"), 1);
  EXPECT_EQ(text_of(*undated, {}), text_of(*undated, {.date = date}));
  EXPECT_THAT(undated->chat_notes(), IsEmpty());
}

TEST_F(LanguageModelTest, SaysThatABaseModelIsNotMadeForConversation) {
  const auto base = LanguageModel::Open(Write("base", ""), 1);
  EXPECT_THAT(base->chat_notes(),
              ElementsAre(AllOf(HasSubstr("base"), HasSubstr("no chat template"))));
}

TEST_F(LanguageModelTest, AnUnknownArchitectureIsNamedWithThoseThatRun) {
  const auto path = Write("model", "");
  std::ofstream(path / "config.json") << R"({"model_type": "bloom"})";
  std::ofstream(path / "tokenizer.json") << R"({"model": {"type": "WordLevel", "vocab": {}}})";
  const std::string error = ErrorText([&] { LanguageModel::Open(path, 1); });
  EXPECT_THAT(error, AllOf(HasSubstr("unsupported"), HasSubstr("\"bloom\""), HasSubstr("qwen3"),
                           HasSubstr("take a model of one")));
  // Each name is listed once, though several entries of the registry may share one.
  EXPECT_EQ(error.find("retnet"), error.rfind("retnet"));
}

}  // namespace
}  // namespace tome
