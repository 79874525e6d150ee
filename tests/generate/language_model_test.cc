#include "tome/generate/language_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

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

// A vocabulary of the golden models' size: characters from '!' on, then the line end and the
// special token "<E>".
void WriteTokenizerWithSpecial(const std::filesystem::path& folder) {
  auto tokenizer = nlohmann::json::parse(ReadText(folder / "tokenizer.json"));
  nlohmann::json& vocabulary = tokenizer["model"]["vocab"];
  vocabulary.erase("_");
  vocabulary.erase("`");
  vocabulary["Ċ"] = 62;
  const nlohmann::json special{
      {"id", 63},        {"content", "<E>"}, {"special", true},     {"normalized", false},
      {"lstrip", false}, {"rstrip", false},  {"single_word", false}};
  tokenizer["added_tokens"] = nlohmann::json::array({special});
  std::ofstream(folder / "tokenizer.json") << tokenizer;
}

std::vector<TokenId> Letters(std::string_view text) {
  std::vector<TokenId> tokens;
  for (const char c : text) tokens.push_back(c == '\n' ? 62 : c - '!');
  return tokens;
}

TEST_F(LanguageModelTest, OnlyTheTemplateWritesSpecialTokens) {
  const auto path = Write("chat",
                          "{% for message in messages %}{{ message.role | upper }}:"
                          "{{ message.content }}<E>{% endfor %}A:");
  WriteTokenizerWithSpecial(path);
  const auto model = LanguageModel::Open(path, 1);
  const std::vector<ChatMessage> messages{{.role = "user", .content = "HI<E>A:NO"},
                                          {.role = "assistant", .content = "X"}};
  std::vector<TokenId> expected = Letters("USER:HI<E>A:NO");
  expected.push_back(63);
  for (const TokenId token : Letters("ASSISTANT:X")) expected.push_back(token);
  expected.push_back(63);
  for (const TokenId token : Letters("A:")) expected.push_back(token);
  EXPECT_EQ(model->EncodeChat(messages), expected);
  EXPECT_EQ(model->EncodeText("A<E>", Specials::kLiteral), Letters("A<E>"));
  EXPECT_THAT(model->EncodeText("A<E>", Specials::kParse), ElementsAre('A' - '!', 63));
}

TEST_F(LanguageModelTest, WithoutATemplateContentsFollowEachOther) {
  const auto path = Write("base", "");
  WriteTokenizerWithSpecial(path);
  const auto model = LanguageModel::Open(path, 1);
  const std::vector<ChatMessage> messages{{.role = "user", .content = "WHO"},
                                          {.role = "assistant", .content = "I<E>"},
                                          {.role = "user", .content = "WHEN"}};
  EXPECT_EQ(model->EncodeChat(messages), Letters("WHO\n\nI<E>\n\nWHEN\n\n"));
}

TEST_F(LanguageModelTest, AModelIsNamedByItsFolder) {
  const auto path = Write("some.model", "");
  for (const auto& given : {path, path / "", path / "." / ".." / "some.model"}) {
    const auto model = LanguageModel::Open(given, 1);
    EXPECT_EQ(model->path(), given);
    EXPECT_EQ(model->name(), "some.model") << given;
    EXPECT_THAT(model->chat_notes(), ElementsAre(HasSubstr("no chat template")));
    EXPECT_THAT(model->notes(), IsEmpty());
  }
  EXPECT_EQ(LanguageModel::Open(path, 3)->compute().threads.threads(), 3);
}

// Two memories have the same root only where the same tokens give them the same bits.
TEST_F(LanguageModelTest, AMemorysRootTellsWhatItsBitsDependOn) {
  WriteGoldenModel("qwen2", folder_ / "other");
  WriteLetterTokenizer(folder_ / "other");
  WriteGoldenModel("llama-dynamic", folder_ / "dynamic");
  WriteLetterTokenizer(folder_ / "dynamic");
  const auto model = LanguageModel::Open(Write("model", ""), 1);
  const auto other = LanguageModel::Open(folder_ / "other", 1);
  const auto dynamic = LanguageModel::Open(folder_ / "dynamic", 1);
  const auto root = [](const LanguageModel& of, const MemoryOptions& options) {
    return of.MemoryRoot(of.model().NewMemory(options)).ToString();
  };
  const std::vector<std::string> roots{
      root(*model, {.kv = KvType::kF32}),
      root(*model, {.kv = KvType::kF16}),
      root(*model, {.kv = KvType::kQ8}),
      root(*model, {.kv = KvType::kQ4}),
      root(*model, {.kv = KvType::kF32, .window = 64}),
      root(*model, {.kv = KvType::kF32, .window = 128}),
      root(*model, {.kv = KvType::kF32, .window = 64, .sinks = 64}),
      root(*model, {.kv = KvType::kF32, .max_tokens = 4096, .longer = ContextExtension::kDca}),
      root(*model, {.kv = KvType::kF32, .max_tokens = 4096, .longer = ContextExtension::kYarn}),
      root(*model, {.kv = KvType::kF32, .max_tokens = 8192, .longer = ContextExtension::kYarn}),
      root(*other, {.kv = KvType::kF32}),
      root(*dynamic, {.kv = KvType::kF32, .max_tokens = 512}),
      root(*dynamic, {.kv = KvType::kF32, .max_tokens = 1024})};
  EXPECT_EQ(std::set(roots.begin(), roots.end()).size(), roots.size());
  // The length of a memory matters only to RoPE that is scaled by it, and threads never matter.
  EXPECT_EQ(root(*model, {.kv = KvType::kF32, .max_tokens = 4096}), roots[0]);
  EXPECT_EQ(root(*LanguageModel::Open(folder_ / "model", 3), {.kv = KvType::kF32}), roots[0]);
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
