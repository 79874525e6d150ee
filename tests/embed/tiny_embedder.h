// A tiny embedding model on disk, with random weights.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "tests/models/golden_encoder.h"

namespace tome {

// Writes a tokenizer with a token for each lower-case letter, which puts [CLS] and [SEP] around a
// text.
inline void WriteWordPieces(const std::filesystem::path& folder) {
  nlohmann::json vocabulary{{"[PAD]", 0}, {"[UNK]", 1}, {"[CLS]", 2},
                            {"[SEP]", 3}, {":", 62},    {".", 63}};
  nlohmann::json added = nlohmann::json::array();
  for (const auto& [name, id] : {std::pair{"[PAD]", 0}, {"[UNK]", 1}, {"[CLS]", 2}, {"[SEP]", 3}}) {
    added.push_back({{"id", id},
                     {"content", name},
                     {"special", true},
                     {"normalized", false},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false}});
  }
  for (int i = 0; i < 26; ++i) {
    const std::string letter(1, static_cast<char>('a' + i));
    vocabulary[letter] = 4 + i;
    vocabulary["##" + letter] = 30 + i;
  }
  const nlohmann::json cls{{"SpecialToken", {{"id", "[CLS]"}, {"type_id", 0}}}};
  const nlohmann::json sep{{"SpecialToken", {{"id", "[SEP]"}, {"type_id", 0}}}};
  const nlohmann::json sequence{{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const auto token = [](const char* name, int id) {
    return nlohmann::json{{"id", name}, {"ids", {id}}, {"tokens", {name}}};
  };
  const nlohmann::json tokenizer{
      {"version", "1.0"},
      {"added_tokens", added},
      {"normalizer",
       {{"type", "BertNormalizer"},
        {"clean_text", true},
        {"handle_chinese_chars", true},
        {"strip_accents", nullptr},
        {"lowercase", true}}},
      {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
      {"post_processor",
       {{"type", "TemplateProcessing"},
        {"single", {cls, sequence, sep}},
        {"pair", {cls, sequence, sep}},
        {"special_tokens", {{"[CLS]", token("[CLS]", 2)}, {"[SEP]", token("[SEP]", 3)}}}}},
      {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}},
      {"model",
       {{"type", "WordPiece"},
        {"unk_token", "[UNK]"},
        {"continuing_subword_prefix", "##"},
        {"max_input_chars_per_word", 100},
        {"vocab", vocabulary}}}};
  std::ofstream(folder / "tokenizer.json") << tokenizer;
}

// Writes a model that embeds texts of lower-case letters.
inline void WriteTinyEmbedder(const std::filesystem::path& folder) {
  WriteGoldenEncoder(GoldenEncoderConfig("bert-tanh"), folder);
  WriteWordPieces(folder);
  std::filesystem::create_directories(folder / "1_Pooling");
  std::ofstream(folder / "1_Pooling/config.json")
      << nlohmann::json{{"pooling_mode_mean_tokens", true}};
}

}  // namespace tome
