// Compares tiny tokenizers of every kind with the ids that the libraries `tokenizers` and
// `sentencepiece` give (tests/golden/tokenizers).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tome/text/tokenizer.h"

namespace tome {
namespace {

using nlohmann::json;

std::filesystem::path Folder() {
  return std::filesystem::path(TOME_SOURCE_DIR) / "tests/golden/tokenizers";
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string Base64(const std::string& bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (size_t k = 0; k < 4; ++k) {
      out += i + k > bytes.size() ? '=' : kDigits[bits >> (18 - 6 * k) & 63];
    }
  }
  return out;
}

VocabularySpec SpecOf(const json& file) {
  VocabularySpec spec;
  spec.model = file["model"];
  spec.tokens = file["tokens"].get<std::vector<std::string>>();
  spec.scores = file["scores"].get<std::vector<float>>();
  spec.token_types = file["token_types"].get<std::vector<int32_t>>();
  spec.bos = file["bos"].get<TokenId>();
  spec.eos = file["eos"].get<TokenId>();
  spec.unknown = file["unknown"].get<TokenId>();
  spec.add_space_prefix = file["add_space_prefix"].get<bool>();
  spec.remove_extra_whitespaces = file["remove_extra_whitespaces"].get<bool>();
  if (file["precompiled_charsmap"] == "@nmt_nfkc") {
    spec.precompiled_charsmap = ReadFile(Folder() / "nmt_nfkc.charsmap");
  }
  return spec;
}

std::unique_ptr<Tokenizer> Load(const std::string& name) {
  std::string text = ReadFile(Folder() / (name + ".json"));
  if (name.starts_with("sp_")) return Tokenizer::Create(SpecOf(json::parse(text)));
  constexpr std::string_view kMap = "@nmt_nfkc";
  const size_t map = text.find(kMap);
  if (map != std::string::npos) {
    text.replace(map, kMap.size(), Base64(ReadFile(Folder() / "nmt_nfkc.charsmap")));
  }
  return Tokenizer::FromTokenizerJson(text, "");
}

std::vector<std::string> Texts() {
  return json::parse(ReadFile(Folder() / "texts.json")).get<std::vector<std::string>>();
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  constexpr std::string_view kSuffix = ".expected.json";
  for (const auto& entry : std::filesystem::directory_iterator(Folder())) {
    const std::string file = entry.path().filename().string();
    if (file.ends_with(kSuffix)) names.push_back(file.substr(0, file.size() - kSuffix.size()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string Pieces(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  std::string out;
  for (const TokenId id : ids) out += "|" + std::string(tokenizer.Piece(id));
  return out;
}

// Number of texts in texts.json that IsListedDeviation excuses.
constexpr int kUnigramDeviations = 1;

// Returns whether docs/tokenizers.md lists a text's result as different from the reference's. All
// other results must equal the reference's, including its bugs.
bool IsListedDeviation(const std::string& name, const std::string& text) {
  const auto holds = [&](std::string_view part) { return text.find(part) != std::string::npos; };
  if (name == "unigram") {
    // The Rust library looks up whole grapheme clusters, or single characters, in the character
    // map.
    return holds("\u0301") || holds("\u0308") || holds("\u0303") || holds("\u0323") || holds("ﾞ");
  }
  return false;
}

// Returns a decoded text without the parts that docs/tokenizers.md lists as decoded differently.
std::string WithoutListedDeviations(const std::string& name, std::string text) {
  // `sentencepiece` writes a sign for an unknown token; Tome leaves it out.
  constexpr std::string_view kUnknownSign = " \u2047 ";
  for (size_t at = text.find(kUnknownSign); name.starts_with("sp_") && at != std::string::npos;
       at = text.find(kUnknownSign)) {
    text.erase(at, kUnknownSign.size());
  }
  // The end of a word is decoded as a space, also at the end of the text.
  if (name == "words" && text.ends_with(' ')) text.pop_back();
  // `tokenizers` writes an added token that it looks for in normalized text in its normalized form.
  const size_t added = name == "words" ? text.find("<norm>") : std::string::npos;
  if (added != std::string::npos) text.replace(added, 6, "<NORM>");
  return text;
}

bool SpellsSpecialToken(const Tokenizer& tokenizer, const std::string& text) {
  for (TokenId id = 0; id < tokenizer.vocabulary_size(); ++id) {
    const bool spelled = text.find(tokenizer.Piece(id)) != std::string::npos;
    if (tokenizer.IsSpecial(id) && spelled) return true;
  }
  return false;
}

class GoldenTokenizerTest : public testing::TestWithParam<std::string> {};

TEST_P(GoldenTokenizerTest, GivesTheIdsAndTextsOfTheReference) {
  const std::string name = GetParam();
  const auto tokenizer = Load(name);
  const json cases = json::parse(ReadFile(Folder() / (name + ".expected.json")));
  ASSERT_GT(cases.size(), 200U);
  int deviations = 0;
  const std::vector<std::string> texts = Texts();
  ASSERT_EQ(cases.size(), texts.size());
  // The library `sentencepiece` reads no special tokens from text.
  const bool parses = !name.starts_with("sp_");
  for (size_t i = 0; i < texts.size(); ++i) {
    const json& expected = cases[i];
    const std::string& text = texts[i];
    const auto ids = tokenizer->Encode(text, parses ? Specials::kParse : Specials::kLiteral,
                                       {.add_special = false});
    const auto reference = expected["ids"].get<std::vector<TokenId>>();
    if (ids != reference && IsListedDeviation(name, text)) {
      ++deviations;
      continue;
    }
    EXPECT_EQ(ids, reference) << "text " << json(text) << "\n  ours " << Pieces(*tokenizer, ids)
                              << "\n  reference " << Pieces(*tokenizer, reference);
    EXPECT_EQ(WithoutListedDeviations(name, tokenizer->Decode(reference)),
              WithoutListedDeviations(name, expected.value("decoded", text)))
        << "text " << json(text);
    if (expected.contains("with_special")) {
      EXPECT_EQ(tokenizer->Encode(text, Specials::kParse, {}),
                expected["with_special"].get<std::vector<TokenId>>());
    }
    if (parses && SpellsSpecialToken(*tokenizer, text) && name.starts_with("unigram")) {
      // The Rust library's Unigram reads special tokens in literal text.
      const auto literal = tokenizer->Encode(text, Specials::kLiteral, {.add_special = false});
      EXPECT_TRUE(std::none_of(
          literal.begin(), literal.end(),
          [&](TokenId id) { return tokenizer->IsSpecial(id) && id != tokenizer->unknown(); }))
          << "literally " << json(text);
    } else if (parses) {
      const json& literal = expected.contains("literal") ? expected["literal"] : expected["ids"];
      EXPECT_EQ(tokenizer->Encode(text, Specials::kLiteral, {.add_special = false}),
                literal.get<std::vector<TokenId>>())
          << "literally " << json(text);
    }
  }
  EXPECT_EQ(deviations, name == "unigram" ? kUnigramDeviations : 0);
}

INSTANTIATE_TEST_SUITE_P(Golden, GoldenTokenizerTest, testing::ValuesIn(Names()),
                         [](const auto& parameter) { return parameter.param; });

// The hand-written splitters that GGUF files name give the same tokens as the regular expressions
// of tokenizer.json.
TEST(GoldenTokenizerTest, NamedPreTokenizersEqualTheirExpressions) {
  const std::vector<std::pair<std::string, std::string>> names{{"gpt2", "gpt-2"},
                                                               {"llama3", "llama-bpe"},
                                                               {"qwen35", "qwen35"},
                                                               {"starcoder", "starcoder"},
                                                               {"deepseek3", "deepseek-v3"},
                                                               {"deepseek_llm", "deepseek-llm"},
                                                               {"deepseek_coder", "deepseek-coder"},
                                                               {"gpt4o", "gpt-4o"}};
  const std::vector<std::string> texts = Texts();
  for (const auto& [golden, pre] : names) {
    const json file = json::parse(ReadFile(Folder() / (golden + ".json")));
    VocabularySpec spec;
    spec.model = "gpt2";
    spec.pre = pre;
    spec.tokens.resize(file["model"]["vocab"].size());
    for (const auto& [piece, id] : file["model"]["vocab"].items()) spec.tokens[id] = piece;
    spec.token_types.assign(spec.tokens.size(), 1);
    for (const json& token : file["added_tokens"]) spec.token_types[token["id"]] = 3;
    for (const json& merge : file["model"]["merges"]) {
      spec.merges.push_back(merge[0].get<std::string>() + " " + merge[1].get<std::string>());
    }
    const auto tokenizer = Tokenizer::Create(spec);
    const json cases = json::parse(ReadFile(Folder() / (golden + ".expected.json")));
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto ids = tokenizer->Encode(texts[i], Specials::kParse, {.add_special = false});
      EXPECT_EQ(ids, cases[i]["ids"].get<std::vector<TokenId>>()) << pre << " " << json(texts[i]);
    }
  }
}

}  // namespace
}  // namespace tome
