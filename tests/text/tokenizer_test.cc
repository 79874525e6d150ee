#include "tome/text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/expect_error.h"
#include "tests/random_text.h"
#include "tests/text/tiny_vocabulary.h"

namespace tome {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr EncodeOptions kBare{.add_special = false};

std::vector<std::string> Pieces(const Tokenizer& tokenizer, std::string_view text,
                                Specials specials = Specials::kLiteral) {
  std::vector<std::string> pieces;
  for (const TokenId id : tokenizer.Encode(text, specials, kBare)) {
    pieces.emplace_back(tokenizer.Piece(id));
  }
  return pieces;
}

std::string RandomBytes(std::mt19937& random, size_t count) {
  std::string bytes;
  for (size_t i = 0; i < count; ++i) bytes += static_cast<char>(random() & 0xFF);
  return bytes;
}

TEST(TokenizerTest, MergesTheLowestRankFirst) {
  // "ab" merges before "bc", so "abc" is ab, c; and "abab" is first ab, ab, then abab.
  const auto tokenizer = Tokenizer::Create(TinyByteLevel({"a b", "b c", "ab ab"}));
  EXPECT_THAT(Pieces(*tokenizer, "abc"), ElementsAre("ab", "c"));
  EXPECT_THAT(Pieces(*tokenizer, "bc"), ElementsAre("bc"));
  EXPECT_THAT(Pieces(*tokenizer, "ababab"), ElementsAre("abab", "ab"));
  EXPECT_THAT(Pieces(*tokenizer, "a b"), ElementsAre("a", "Ġ", "b"));
  EXPECT_THAT(Pieces(*tokenizer, ""), IsEmpty());
}

TEST(TokenizerTest, MergesTheHighestScoreFirstAndTheLeftmostOfEqualOnes) {
  VocabularySpec spec = TinySentencePiece({{"ab", -1}, {"bc", -2}, {"aa", -3}, {"▁a", -9}});
  const auto tokenizer = Tokenizer::Create(spec);
  EXPECT_THAT(Pieces(*tokenizer, "xabc"), ElementsAre("▁", "<0x78>", "ab", "c"));
  EXPECT_THAT(Pieces(*tokenizer, "xaaaab"), ElementsAre("▁", "<0x78>", "aa", "a", "ab"));
  EXPECT_THAT(Pieces(*tokenizer, "a"), ElementsAre("▁a"));
}

TEST(TokenizerTest, ReadsSpecialTokensOnlyWhereTheCallerAllowsIt) {
  const auto tokenizer = Tokenizer::Create(TinyByteLevel({"a b"}));
  const TokenId end = *tokenizer->Find("<|end|>");
  const TokenId tool = *tokenizer->Find("<tool>");
  EXPECT_THAT(tokenizer->Encode("<|end|>", Specials::kParse, kBare), ElementsAre(end));
  EXPECT_EQ(tokenizer->Encode("<|end|>", Specials::kLiteral, kBare).size(), 7U);
  // User-defined pieces are read everywhere.
  EXPECT_THAT(tokenizer->Encode("<tool>", Specials::kLiteral, kBare), ElementsAre(tool));

  // A special token must not reach beyond the pieces that may contain one, but two adjacent such
  // pieces are one text.
  const auto encode = [&](std::vector<TextPiece> pieces) {
    return tokenizer->Encode(pieces, kBare);
  };
  EXPECT_EQ(encode({{"<|en", Specials::kParse}, {"d|>", Specials::kLiteral}}).size(), 7U);
  EXPECT_EQ(encode({{"<|", Specials::kLiteral}, {"end|>", Specials::kParse}}).size(), 7U);
  EXPECT_THAT(encode({{"<|en", Specials::kParse}, {"d|>", Specials::kParse}}), ElementsAre(end));
  EXPECT_THAT(
      encode({{"<|en", Specials::kParse}, {"", Specials::kLiteral}, {"d|>", Specials::kParse}}),
      ElementsAre(end));
  EXPECT_THAT(encode({{"<|end|>", Specials::kParse}, {"<tool>", Specials::kLiteral}}),
              ElementsAre(end, tool));
  // Words are not cut where pieces meet.
  EXPECT_THAT(encode({{"a", Specials::kLiteral}, {"b", Specials::kParse}}),
              ElementsAre(*tokenizer->Find("ab")));
}

TEST(TokenizerTest, TakesUserDefinedPiecesThatLookLikeControlTokensForSuch) {
  VocabularySpec spec = TinyByteLevel({"a b"});
  spec.tokens.emplace_back("<|user|>");
  spec.token_types.push_back(static_cast<int32_t>(TokenType::kUserDefined));
  const auto tokenizer = Tokenizer::Create(spec);
  EXPECT_EQ(tokenizer->Encode("<|user|>", Specials::kLiteral, kBare).size(), 8U);
  EXPECT_EQ(tokenizer->Encode("<|user|>", Specials::kParse, kBare).size(), 1U);
}

// Regression test: SmolLM2's vocabulary lacks some bytes and names "<|endoftext|>" as its unknown
// token.
TEST(TokenizerTest, LeavesOutBytesThatAByteLevelVocabularyLacks) {
  VocabularySpec spec = TinyByteLevel({"a b", "b \u0160"});
  spec.unknown = 1;  // "<|end|>"
  spec.tokens[3 + 0xF2] = "unused";
  spec.merges.pop_back();
  const auto tokenizer = Tokenizer::Create(spec);
  EXPECT_THAT(Pieces(*tokenizer, "ab\xF2\xAB\x97\x9A"), ElementsAre("ab", "«", "Ĺ", "ļ"));
  EXPECT_THAT(Pieces(*tokenizer, "\xF2"), IsEmpty());
  EXPECT_THAT(Pieces(*tokenizer, "\xF2", Specials::kParse), IsEmpty());
  // The unknown token that the file names is kept.
  EXPECT_EQ(tokenizer->unknown(), 1);

  const auto json = Tokenizer::FromTokenizerJson(R"({
      "model": {"type": "BPE", "vocab": {"a": 0, "<|endoftext|>": 1}, "merges": [],
                "unk_token": "<|endoftext|>"},
      "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
      "added_tokens": [{"id": 1, "content": "<|endoftext|>", "special": true}]})",
                                                 "");
  EXPECT_THAT(Pieces(*json, "aba"), ElementsAre("a", "a"));
}

TEST(TokenizerTest, KeepsUnknownTextFromBecomingATokenWithAMeaning) {
  VocabularySpec pieces = TinySentencePiece({{"ab", -1}});
  std::fill(pieces.token_types.begin() + 3, pieces.token_types.end(), 1);  // no byte tokens
  EXPECT_THAT(Pieces(*Tokenizer::Create(pieces), "a?b"), ElementsAre("▁", "a", "<unk>", "b"));
  for (const TokenId end : {1, 2}) {  // "<s>", "</s>"
    pieces.unknown = end;
    EXPECT_THAT(Pieces(*Tokenizer::Create(pieces), "a?b"), ElementsAre("▁", "a", "b"));
  }
  VocabularySpec unigram = pieces;
  unigram.model = "t5";
  unigram.unknown = 2;
  unigram.eos = 2;
  EXPECT_THAT(Pieces(*Tokenizer::Create(unigram), "a?b"), ElementsAre("a", "b"));

  VocabularySpec words;
  words.model = "bert";
  words.tokens = {"[CLS]", "[SEP]", "[UNK]", "a", "##b"};
  words.token_types = {3, 3, 3, 1, 1};
  words.bos = 0;
  words.separator = 1;
  words.unknown = 2;
  EXPECT_THAT(Pieces(*Tokenizer::Create(words), "ab c a"), ElementsAre("a", "##b", "[UNK]", "a"));
  words.unknown = 1;
  EXPECT_THAT(Pieces(*Tokenizer::Create(words), "ab c a"), ElementsAre("a", "##b", "a"));
}

TEST(TokenizerTest, MakesNoControlTokenOfPiecesThatTextMerges) {
  // "ab" is a control token, and merges of the file produce it.
  VocabularySpec spec = TinyByteLevel({"a b", "ab a"});
  spec.token_types[3 + 256] = static_cast<int32_t>(TokenType::kControl);
  EXPECT_THAT(Pieces(*Tokenizer::Create(spec), "aba"), ElementsAre("a", "b", "a"));
  EXPECT_THAT(Pieces(*Tokenizer::Create(spec), "aba", Specials::kParse), ElementsAre("ab", "a"));
  spec.pre = "llama-bpe";  // whole words are pieces, whatever the merges say
  EXPECT_THAT(Pieces(*Tokenizer::Create(spec), "ab"), ElementsAre("a", "b"));

  const auto unigram = Tokenizer::FromTokenizerJson(R"({
      "model": {"type": "Unigram", "unk_id": 1, "vocab": [["<s>", 0], ["<unk>", 0], ["<", -1],
                ["s", -1], [">", -1]]},
      "added_tokens": [{"id": 0, "content": "<s>", "special": true},
                       {"id": 1, "content": "<unk>", "special": true}]})",
                                                    "");
  EXPECT_THAT(Pieces(*unigram, "<s>"), ElementsAre("<", "s", ">"));
  EXPECT_THAT(Pieces(*unigram, "<s>", Specials::kParse), ElementsAre("<s>"));
}

TEST(TokenizerTest, TakesEndsOfTurnsForControlTokensWhateverTheFileCallsThem) {
  VocabularySpec spec = TinyByteLevel({"a b"});
  spec.tokens.emplace_back("<end_of_turn>");
  spec.token_types.push_back(static_cast<int32_t>(TokenType::kUserDefined));
  const auto tokenizer = Tokenizer::Create(spec);
  EXPECT_EQ(tokenizer->Encode("<end_of_turn>", Specials::kLiteral, kBare).size(), 13U);
  EXPECT_EQ(tokenizer->Encode("<end_of_turn>", Specials::kParse, kBare).size(), 1U);
  EXPECT_TRUE(tokenizer->IsSpecial(*tokenizer->Find("<end_of_turn>")));
}

TEST(TokenizerTest, PutsTheTokensAroundATextOnce) {
  VocabularySpec spec = TinyByteLevel({"a b"});
  spec.bos = *Tokenizer::Create(spec)->Find("<s>");
  spec.eos = *Tokenizer::Create(spec)->Find("<|end|>");
  spec.add_bos = true;
  spec.add_eos = true;
  const auto tokenizer = Tokenizer::Create(spec);
  const TokenId ab = *tokenizer->Find("ab");
  EXPECT_TRUE(tokenizer->adds_bos());
  EXPECT_THAT(tokenizer->Encode("ab", Specials::kParse, {}), ElementsAre(*spec.bos, ab, *spec.eos));
  EXPECT_THAT(tokenizer->Encode("<s>ab", Specials::kParse, {}),
              ElementsAre(*spec.bos, ab, *spec.eos));
  EXPECT_THAT(tokenizer->Encode("", Specials::kParse, {}), ElementsAre(*spec.bos, *spec.eos));
  EXPECT_THAT(tokenizer->Encode("ab", Specials::kParse, kBare), ElementsAre(ab));
  EXPECT_THAT(tokenizer->end_of_generation(), ElementsAre(*spec.eos));
  EXPECT_EQ(tokenizer->eot(), *spec.eos);
}

TEST(TokenizerTest, GivesEveryTextBack) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<std::unique_ptr<Tokenizer>> tokenizers;
  for (const char* pre : {"default", "gpt-2", "llama-bpe", "qwen2", "starcoder", "deepseek-llm",
                          "deepseek-coder", "deepseek-v3", "falcon", "gpt-4o"}) {
    VocabularySpec spec = TinyByteLevel({"a b", "Ġ a", "t h", "th e", "ä ¸", "Ġ Ġ"});
    spec.pre = pre;
    tokenizers.push_back(Tokenizer::Create(spec));
  }
  tokenizers.push_back(
      Tokenizer::Create(TinySentencePiece({{"▁a", -1}, {"▁▁", -2}, {"的", -3}, {"run", -4}})));
  for (int round = 0; round < 300; ++round) {
    // Decode does not return special tokens, so they are not parsed here.
    const std::string text =
        round % 3 == 0 ? RandomBytes(random, random() % 200) : RandomText(random, random() % 60);
    for (size_t i = 0; i < tokenizers.size(); ++i) {
      const Tokenizer& tokenizer = *tokenizers[i];
      const std::vector<TokenId> ids = tokenizer.Encode(text, Specials::kLiteral, {});
      ASSERT_EQ(tokenizer.Decode(ids), text) << "tokenizer " << i;
      // Encoding a text in pieces gives the tokens of the whole text.
      const size_t cut = text.empty() ? 0 : random() % text.size();
      const std::vector<TextPiece> parts{
          {std::string_view(text).substr(0, cut), Specials::kLiteral},
          {std::string_view(text).substr(cut), Specials::kLiteral}};
      ASSERT_EQ(tokenizer.Encode(parts, {}), ids) << "tokenizer " << i << " cut at " << cut;
    }
  }
}

TEST(TokenizerTest, StreamsWholeCharactersThatAddUpToTheText) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto byte_level = Tokenizer::Create(TinyByteLevel({"ä ¸", "Ġ a"}));
  const auto pieces = Tokenizer::Create(TinySentencePiece({{"▁a", -1}, {"的", -3}}));
  for (int round = 0; round < 200; ++round) {
    const std::string text = RandomText(random, random() % 40);
    for (const auto* tokenizer : {byte_level.get(), pieces.get()}) {
      StreamDecoder stream(*tokenizer);
      std::string streamed;
      for (const TokenId id : tokenizer->Encode(text, Specials::kLiteral, {})) {
        const std::string part = stream.Push(id);
        EXPECT_TRUE(part.empty() || (static_cast<unsigned char>(part[0]) & 0xC0) != 0x80);
        streamed += part;
      }
      EXPECT_EQ(streamed + stream.Flush(), text);
    }
  }
}

TEST(TokenizerTest, StreamHoldsBackAndReplacesIncompleteCharacters) {
  const auto tokenizer = Tokenizer::Create(TinySentencePiece({{"▁a", -1}}));
  const auto byte = [&](const char* piece) { return *tokenizer->Find(piece); };
  StreamDecoder stream(*tokenizer);
  EXPECT_EQ(stream.Push(byte("▁a")), "a");  // the leading space is dropped
  EXPECT_EQ(stream.Push(byte("▁a")), " a");
  EXPECT_EQ(stream.Push(byte("<0xE4>")), "");
  EXPECT_EQ(stream.Push(byte("<0xB8>")), "");
  EXPECT_EQ(stream.Push(byte("<0xAD>")), "中");
  EXPECT_EQ(stream.Push(byte("<0xE4>")), "");
  EXPECT_EQ(stream.Push(byte("▁a")), "\uFFFD a");
  EXPECT_EQ(stream.Push(byte("<0xFF>")), "\uFFFD");
  EXPECT_EQ(stream.Push(byte("<0xF0>")), "");
  EXPECT_EQ(stream.Push(byte("<0x9F>")), "");
  EXPECT_EQ(stream.Flush(), "\uFFFD");
  EXPECT_EQ(stream.Flush(), "");
  StreamDecoder inside(*tokenizer, StreamDecoder::Start::kInside);
  EXPECT_EQ(inside.Push(byte("▁a")), " a");
  EXPECT_EQ(inside.Push(byte("</s>")), "");
  StreamDecoder with_special(*tokenizer, StreamDecoder::Start::kText, {.keep_special = true});
  EXPECT_EQ(with_special.Push(byte("</s>")), "</s>");
  EXPECT_EQ(with_special.Push(-1) + with_special.Push(1 << 30), "");
}

TEST(TokenizerTest, EncodesAWordOfAMegabyteInTime) {
  // A quadratic loop would need minutes for each of these texts.
  const auto byte_level = Tokenizer::Create(TinyByteLevel({"a a", "aa aa", "aaaa aaaa", "a b"}));
  const auto pieces = Tokenizer::Create(TinySentencePiece({{"aa", -1}, {"aaaa", -2}, {"ab", -3}}));
  const auto start = std::chrono::steady_clock::now();
  for (const auto* tokenizer : {byte_level.get(), pieces.get()}) {
    for (const std::string& unit : {std::string("a"), std::string("ab"), std::string("中")}) {
      std::string text;
      while (text.size() < 1000000) text += unit;
      EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(text, Specials::kParse, {})), text);
    }
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

TEST(TokenizerTest, ServesThreadsAtOnce) {
  const auto tokenizer = Tokenizer::Create(TinyByteLevel({"a b", "Ġ a"}));
  std::mt19937 random(7);
  const std::string text = RandomText(random, 3000);
  const std::vector<TokenId> expected = tokenizer->Encode(text, Specials::kParse, {});
  std::vector<std::thread> threads;
  std::vector<int> equal(4);
  for (size_t t = 0; t < equal.size(); ++t) {
    threads.emplace_back(
        [&, t] { equal[t] = tokenizer->Encode(text, Specials::kParse, {}) == expected ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(equal, ElementsAre(1, 1, 1, 1));
}

TEST(TokenizerTest, NamesTheFieldOfABadVocabulary) {
  const auto error_of = [](VocabularySpec spec) {
    return ErrorText([&] { Tokenizer::Create(std::move(spec)); });
  };
  const VocabularySpec good = TinySentencePiece({{"ab", -1}});
  VocabularySpec spec = good;
  spec.model = "rwkv";
  EXPECT_THAT(error_of(spec), AllOf(StartsWith("unsupported"), HasSubstr("tokenizer.ggml.model")));
  spec = good;
  spec.tokens.clear();
  EXPECT_THAT(error_of(spec), AllOf(StartsWith("corrupt"), HasSubstr("tokenizer.ggml.tokens")));
  spec = good;
  spec.scores.pop_back();
  EXPECT_THAT(error_of(spec), AllOf(StartsWith("corrupt"), HasSubstr("tokenizer.ggml.scores")));
  spec = good;
  spec.scores[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(error_of(spec), AllOf(StartsWith("corrupt"), HasSubstr("tokenizer.ggml.scores[3]")));
  spec = good;
  spec.token_types.push_back(1);
  EXPECT_THAT(error_of(spec), AllOf(StartsWith("corrupt"), HasSubstr("tokenizer.ggml.token_type")));
  spec = good;
  spec.tokens[3] = "<0x0G>";
  EXPECT_THAT(error_of(spec), AllOf(StartsWith("corrupt"), HasSubstr("tokenizer.ggml.tokens[3]")));
  spec = good;
  spec.bos = static_cast<TokenId>(good.tokens.size());
  EXPECT_THAT(error_of(spec),
              AllOf(StartsWith("corrupt"), HasSubstr("tokenizer.ggml.bos_token_id")));
  spec = good;
  spec.tokens.back() = std::string(kMaxPieceBytes + 1, 'a');
  EXPECT_THAT(error_of(spec),
              AllOf(StartsWith("unsupported"), HasSubstr("tokenizer.ggml.tokens[")));
  spec = good;
  spec.tokens.back() = std::string(600, 'a');
  EXPECT_THAT(error_of(spec), AllOf(StartsWith("unsupported"), HasSubstr("512")));
  spec = TinyByteLevel({"ab"});
  EXPECT_THAT(error_of(spec), AllOf(StartsWith("corrupt"), HasSubstr("tokenizer.ggml.merges[0]")));
  spec = TinyByteLevel({"a b"});
  spec.pre = "no-such";
  EXPECT_THAT(error_of(spec), AllOf(StartsWith("unsupported"), HasSubstr("tokenizer.ggml.pre")));
  spec = TinyByteLevel({"a b"});
  spec.add_bos = true;
  EXPECT_THAT(error_of(spec),
              AllOf(StartsWith("corrupt"), HasSubstr("tokenizer.ggml.add_bos_token")));
  spec = good;
  spec.model = "t5";
  for (const std::string& map : {std::string("abc"), std::string("\xFF\xFF\xFF\x7F____"),
                                 std::string("\4\0\0\0____x", 9), std::string("\4\0\0\0____", 8)}) {
    spec.precompiled_charsmap = map;
    EXPECT_THAT(error_of(spec),
                AllOf(StartsWith("corrupt"), HasSubstr("tokenizer.ggml.precompiled_charsmap")));
  }
}

TEST(TokenizerTest, NamesTheFieldOfABadTokenizerJson) {
  using nlohmann::json;
  const json good = json::parse(R"({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2},
      "merges": [["a", "b"]]}, "added_tokens": [{"id": 3, "content": "<s>", "special": true}]})");
  const auto error_with = [&](const char* pointer, const json& value) {
    json file = good;
    file[json::json_pointer(pointer)] = value;
    return ErrorText([&] { Tokenizer::FromTokenizerJson(file.dump(), ""); });
  };
  EXPECT_EQ(error_with("/version", "1.0"), "no error");
  EXPECT_EQ(error_with("/model/merges", json::array({"a b"})), "no error");
  EXPECT_THAT(error_with("/model/type", "WordLevel"),
              AllOf(StartsWith("unsupported"), HasSubstr("model.type")));
  EXPECT_THAT(error_with("/model/merges/0", "ab"),
              AllOf(StartsWith("corrupt"), HasSubstr("model.merges[0]")));
  EXPECT_THAT(error_with("/model/merges/0", json::array({"a", "c"})), HasSubstr("model.merges[0]"));
  EXPECT_THAT(error_with("/model/vocab", 7), HasSubstr("model.vocab"));
  EXPECT_THAT(error_with("/model/vocab/b", 0), HasSubstr("model.vocab"));
  EXPECT_THAT(error_with("/model/vocab/b", -1), HasSubstr("model.vocab"));
  EXPECT_THAT(error_with("/model/vocab/b", uint64_t{1} << 40),
              AllOf(StartsWith("unsupported"), HasSubstr("model.vocab")));
  EXPECT_THAT(error_with("/model/unk_token", "<unk>"), HasSubstr("model.unk_token"));
  EXPECT_THAT(error_with("/model/dropout", 0.1), HasSubstr("model.dropout"));
  EXPECT_THAT(error_with("/added_tokens/0/id", 1), HasSubstr("added_tokens"));
  EXPECT_THAT(error_with("/added_tokens/0/id", 5000000), HasSubstr("added_tokens[0].id"));
  EXPECT_THAT(error_with("/added_tokens/0/content", std::string(2000, 'x')),
              HasSubstr("added_tokens[0]"));
  EXPECT_THAT(
      error_with(
          "/normalizer",
          json::parse(R"({"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "X"}]})")),
      AllOf(StartsWith("unsupported"), HasSubstr("normalizer.normalizers[1].type")));
  EXPECT_THAT(error_with("/normalizer",
                         json::parse(R"({"type": "Precompiled", "precompiled_charsmap": "!"})")),
              HasSubstr("normalizer.precompiled_charsmap"));
  EXPECT_THAT(
      error_with("/pre_tokenizer", json::parse(R"({"type": "Split", "pattern": {"Regex": "(("}})")),
      AllOf(StartsWith("unsupported"), HasSubstr("pre_tokenizer.pattern.Regex")));
  EXPECT_THAT(
      error_with(
          "/pre_tokenizer",
          json::parse(R"({"type": "Split", "pattern": {"String": "a"}, "behavior": "Odd"})")),
      HasSubstr("pre_tokenizer.behavior"));
  EXPECT_THAT(
      error_with(
          "/pre_tokenizer",
          json::parse(
              R"({"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}, {"type": "Digits"}]})")),
      HasSubstr("pre_tokenizer.pretokenizers[1]"));
  EXPECT_THAT(error_with("/decoder", json::parse(R"({"type": "CTC"})")), HasSubstr("decoder.type"));
  EXPECT_THAT(
      error_with("/post_processor",
                 json::parse(R"({"type": "BertProcessing", "sep": ["a", 99], "cls": ["a", 0]})")),
      HasSubstr("post_processor"));
  EXPECT_THAT(ErrorText([] { Tokenizer::FromTokenizerJson("{\"a\"", ""); }),
              AllOf(StartsWith("corrupt"), HasSubstr("tokenizer.json")));
  EXPECT_THAT(ErrorText([&] { Tokenizer::FromTokenizerJson(good.dump(), "[]"); }),
              HasSubstr("tokenizer_config.json"));
  EXPECT_THAT(ErrorText([] { Tokenizer::FromTokenizerJson(std::string(1000000, '['), ""); }),
              AllOf(StartsWith("unsupported"), HasSubstr("nested")));
}

TEST(TokenizerTest, StopsARegularExpressionThatTakesTooLong) {
  const auto tokenizer = Tokenizer::FromTokenizerJson(
      R"({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []},
          "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+b"}, "behavior": "Isolated"}})",
      "");
  EXPECT_THAT(ErrorText([&] { tokenizer->Encode(std::string(5000, 'a'), Specials::kParse, {}); }),
              AllOf(StartsWith("unsupported"), HasSubstr("pre_tokenizer.pattern.Regex")));
}

TEST(TokenizerTest, ReadsWhatTheConfigurationAdds) {
  const auto tokenizer = Tokenizer::FromTokenizerJson(
      R"({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}})",
      R"({"added_tokens_decoder": {"2": {"content": "<s>", "special": true},
                                   "3": {"content": "<|im_end|>", "special": true},
                                   "9": {"content": "<x>", "special": false}},
          "bos_token": {"content": "<s>"}, "eos_token": "<|im_end|>", "add_bos_token": true})");
  EXPECT_EQ(tokenizer->vocabulary_size(), 10);
  EXPECT_EQ(tokenizer->bos(), 2);
  EXPECT_EQ(tokenizer->eos(), 3);
  EXPECT_THAT(tokenizer->end_of_generation(), ElementsAre(3));
  EXPECT_THAT(tokenizer->Encode("a<x><|im_end|>", Specials::kParse, {}), ElementsAre(2, 0, 9, 3));
  EXPECT_EQ(tokenizer->Piece(5), "");
  EXPECT_EQ(tokenizer->TokenBytes(5), "");
  EXPECT_EQ(tokenizer->Piece(-1), "");
  EXPECT_FALSE(tokenizer->IsSpecial(9));
  EXPECT_TRUE(tokenizer->IsSpecial(2));
}

}  // namespace
}  // namespace tome
