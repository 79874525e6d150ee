// Compares vocabularies of published models with the ids that the llama.cpp project publishes.
#include "tome/models/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/expect_error.h"
#include "tests/formats/gguf_bytes.h"
#include "tests/models/published_vocabulary.h"
#include "tests/temp_folder.h"
#include "tome/models/tokenizer_of.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<std::string> SplitAt(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t at = text.find(separator); at != std::string::npos;
       at = text.find(separator, begin)) {
    parts.push_back(text.substr(begin, at - begin));
    begin = at + separator.size();
  }
  parts.push_back(text.substr(begin));
  return parts;
}

TEST_P(PublishedVocabularyTest, GivesTheIdsOfTheReference) {
  const auto tokenizer = TokenizerOf(Checkpoint::Open(path_));
  std::vector<std::string> texts =
      SplitAt(ReadFile(path_.string() + ".inp"), "\n__ggml_vocab_test__\n");
  std::vector<std::string> lines = SplitAt(ReadFile(path_.string() + ".out"), "\n");
  if (lines.back().empty()) lines.pop_back();
  if (texts.size() == lines.size() + 1 && texts.back().empty()) texts.pop_back();
  ASSERT_EQ(texts.size(), lines.size());
  ASSERT_GT(texts.size(), 30U);
  for (size_t i = 0; i < texts.size(); ++i) {
    std::istringstream in(lines[i]);
    std::vector<TokenId> expected;
    for (TokenId id = 0; in >> id;) expected.push_back(id);
    const std::vector<TokenId> ids =
        tokenizer->Encode(texts[i], Specials::kLiteral, {.add_special = false});
    EXPECT_EQ(ids, expected) << "text " << i << ": \"" << texts[i] << '"';
    if (std::string(GetParam()) != "bert-bge") {
      EXPECT_EQ(tokenizer->Decode(ids), texts[i]);
    }
  }
}

// Checks that text of a document becomes no token with a meaning: characters of every plane,
// ill-formed bytes, and the text of every special token.
void ExpectNoControlTokenFromText(const Tokenizer& tokenizer) {
  const auto expect_plain = [&](const std::string& text) {
    for (const TokenId id : tokenizer.Encode(text, Specials::kLiteral, {.add_special = false})) {
      if (!tokenizer.IsSpecial(id) || tokenizer.Piece(id) == "[UNK]") continue;
      ADD_FAILURE() << tokenizer.Piece(id) << " from \"" << text << '"';
      return;
    }
  };
  for (char32_t c = 1; c < 0x110000; c += c < 0x3000 ? 1 : 0x107) {
    std::string text;
    if (c < 0xD800 || c > 0xDFFF) AppendUtf8(c, text);
    expect_plain(text);
  }
  std::string damaged = "\U000AB5DA ";  // failed with SmolLM2
  for (int byte = 0; byte < 256; ++byte) damaged += static_cast<char>(byte);
  expect_plain(damaged);
  for (int64_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    const auto token = static_cast<TokenId>(id);
    if (tokenizer.IsSpecial(token)) expect_plain(std::string(tokenizer.Piece(token)));
  }
}

TEST_P(PublishedVocabularyTest, MakesNoControlTokenOfText) {
  ExpectNoControlTokenFromText(*TokenizerOf(Checkpoint::Open(path_)));
}

TEST(VocabularyTest, ModelsOfThisMachineMakeNoControlTokenOfText) {
  const char* paths = std::getenv("TOME_TEST_MODELS");
  if (paths == nullptr || *paths == '\0') {
    GTEST_SKIP() << "TOME_TEST_MODELS names no models: paths, separated by colons";
  }
  std::stringstream list(paths);
  for (std::string path; std::getline(list, path, ':');) {
    SCOPED_TRACE(path);
    ExpectNoControlTokenFromText(*TokenizerOf(Checkpoint::Open(path)));
  }
}

INSTANTIATE_TEST_SUITE_P(Published, PublishedVocabularyTest,
                         testing::Values("gpt-2", "deepseek-llm", "llama-spm", "bert-bge"),
                         VocabularyName);

TEST(VocabularyTest, ReadsWhatTheMetadataSays) {
  Metadata metadata;
  metadata.Set("tokenizer.ggml.model", std::string("t5"));
  metadata.Set("tokenizer.ggml.tokens", std::vector<std::string>{"<pad>", "</s>", "<unk>", "a"});
  metadata.Set("tokenizer.ggml.scores", std::vector<double>{0, 0, 0, -1.5});
  metadata.Set("tokenizer.ggml.token_type", std::vector<int64_t>{3, 3, 2, 99});
  metadata.Set("tokenizer.ggml.eos_token_id", int64_t{1});
  metadata.Set("tokenizer.ggml.bos_token_id", int64_t{UINT32_MAX});
  metadata.Set("tokenizer.ggml.add_eos_token", false);
  metadata.Set("tokenizer.ggml.precompiled_charsmap", std::vector<int64_t>{-1, 255, 0});
  const VocabularySpec spec = VocabularyFromMetadata(metadata);
  EXPECT_EQ(spec.model, "t5");
  EXPECT_EQ(spec.tokens.size(), 4U);
  EXPECT_THAT(spec.scores, testing::ElementsAre(0, 0, 0, -1.5F));
  EXPECT_THAT(spec.token_types, testing::ElementsAre(3, 3, 2, 0));
  EXPECT_EQ(spec.eos, 1);
  EXPECT_EQ(spec.bos, std::nullopt);
  EXPECT_EQ(spec.add_eos, false);
  EXPECT_EQ(spec.add_bos, std::nullopt);
  EXPECT_EQ(spec.precompiled_charsmap, std::string("\xFF\xFF\0", 3));
}

TEST(VocabularyTest, SaysWhichPreTokenizerIsTakenWhereTheFileNamesNone) {
  const TempFolder folder;
  const auto notes_with = [&](const std::vector<std::pair<const char*, const char*>>& keys) {
    GgufBytes file = SmallGguf();
    for (const auto& [key, value] : keys) {
      file.pairs.push_back(GgufPairOf(key, 8, RawString(value)));
    }
    std::ofstream(folder / "m.gguf", std::ios::binary) << file.Build();
    return TokenizerNotes(Checkpoint::Open(folder / "m.gguf"));
  };
  constexpr const char* kModel = "tokenizer.ggml.model";
  constexpr const char* kPre = "tokenizer.ggml.pre";
  EXPECT_THAT(notes_with({{kModel, "gpt2"}}),
              testing::ElementsAre(testing::AllOf(
                  testing::HasSubstr("m.gguf"), testing::HasSubstr(kPre),
                  testing::HasSubstr(std::string("\"").append(kAssumedPreTokenizer)))));
  EXPECT_THAT(notes_with({{kModel, "gpt2"}, {kPre, "gpt-2"}}), testing::IsEmpty());
  EXPECT_THAT(notes_with({{kModel, "llama"}}), testing::IsEmpty());
}

TEST(VocabularyTest, NamesTheKeyThatIsWrong) {
  Metadata metadata;
  EXPECT_THAT(
      ErrorText([&] { VocabularyFromMetadata(metadata); }),
      testing::StartsWith(std::string(CodeName(Code::kNotFound)) + ": " + "tokenizer.ggml.tokens"));
  metadata.Set("tokenizer.ggml.model", std::string("gpt2"));
  metadata.Set("tokenizer.ggml.tokens", std::vector<std::string>{"a"});
  metadata.Set("tokenizer.ggml.eos_token_id", int64_t{-7});
  EXPECT_THAT(ErrorText([&] { VocabularyFromMetadata(metadata); }),
              testing::AllOf(testing::StartsWith("corrupt"),
                             testing::HasSubstr("tokenizer.ggml.eos_token_id")));
  metadata.Set("tokenizer.ggml.eos_token_id", std::string("x"));
  EXPECT_THAT(ErrorText([&] { VocabularyFromMetadata(metadata); }),
              testing::AllOf(testing::StartsWith("corrupt"),
                             testing::HasSubstr("tokenizer.ggml.eos_token_id")));
  metadata.Set("tokenizer.ggml.eos_token_id", int64_t{0});
  metadata.Set("tokenizer.ggml.precompiled_charsmap", std::vector<int64_t>{256});
  EXPECT_THAT(ErrorText([&] { VocabularyFromMetadata(metadata); }),
              testing::AllOf(testing::StartsWith("corrupt"),
                             testing::HasSubstr("tokenizer.ggml.precompiled_charsmap")));
}

}  // namespace
}  // namespace tome
