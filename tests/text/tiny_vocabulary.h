// Provides small vocabularies for tests and fuzz targets, in which every byte has a token.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tome/text/tokenizer/byte_alphabet.h"
#include "tome/text/vocabulary_spec.h"

namespace tome {

// Returns a byte-level BPE vocabulary: the control tokens "<s>" and "<|end|>", the user-defined
// "<tool>", a letter for each byte, then the results of the merges ("a b").
inline VocabularySpec TinyByteLevel(std::vector<std::string> merges) {
  VocabularySpec spec;
  spec.model = "gpt2";
  spec.pre = "gpt-2";
  const auto add = [&](std::string piece, TokenType type) {
    spec.tokens.push_back(std::move(piece));
    spec.token_types.push_back(static_cast<int32_t>(type));
  };
  add("<s>", TokenType::kControl);
  add("<|end|>", TokenType::kControl);
  add("<tool>", TokenType::kUserDefined);
  for (int b = 0; b < 256; ++b) {
    add(std::string(LetterOfByte(static_cast<uint8_t>(b))), TokenType::kNormal);
  }
  for (const std::string& merge : merges) {
    std::string piece = merge;
    const size_t space = piece.find(' ', 1);
    if (space != std::string::npos) piece.erase(space, 1);
    add(std::move(piece), TokenType::kNormal);
  }
  spec.merges = std::move(merges);
  return spec;
}

// Returns a SentencePiece BPE vocabulary with byte fallback: "<unk>", "<s>", "</s>", the bytes, "▁"
// and three letters, then the given pieces.
inline VocabularySpec TinySentencePiece(const std::vector<std::pair<std::string, float>>& pieces) {
  VocabularySpec spec;
  spec.model = "llama";
  const auto add = [&](std::string piece, float score, TokenType type) {
    spec.tokens.push_back(std::move(piece));
    spec.scores.push_back(score);
    spec.token_types.push_back(static_cast<int32_t>(type));
  };
  add("<unk>", 0, TokenType::kUnknown);
  add("<s>", 0, TokenType::kControl);
  add("</s>", 0, TokenType::kControl);
  constexpr const char* kHex = "0123456789ABCDEF";
  for (size_t b = 0; b < 256; ++b) {
    add(std::string("<0x") + kHex[b >> 4] + kHex[b & 15] + ">", 0, TokenType::kByte);
  }
  for (const char* letter : {"▁", "a", "b", "c"}) add(letter, -20, TokenType::kNormal);
  for (const auto& [piece, score] : pieces) add(piece, score, TokenType::kNormal);
  return spec;
}

}  // namespace tome
