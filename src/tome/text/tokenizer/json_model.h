// Reads the "model" of tokenizer.json: its vocabulary, and the WordModel that it makes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tome/text/tokenizer/json_field.h"
#include "tome/text/tokenizer/tokenizer_parts.h"
#include "tome/text/tokenizer/word_model.h"

namespace tome {

enum class JsonModelType { kBpe, kUnigram, kWordPiece };

// Reads the type: "BPE", "Unigram" or "WordPiece". In files without a type the fields tell it.
JsonModelType ReadModelType(const JsonField& model);

// The pieces by id (empty for ids that no piece has), and for Unigram their scores.
struct JsonVocabulary {
  std::vector<std::string> pieces;
  std::vector<double> scores;
};
JsonVocabulary ReadVocabulary(const JsonField& model, JsonModelType type);

// Makes the model. `parts` must outlive it and be complete except for it: pieces with the added
// tokens, tokens that text never becomes, named tokens and ends. Sets parts.named.unknown where the
// model names an unknown token.
std::unique_ptr<WordModel> ReadModel(const JsonField& model, JsonModelType type,
                                     std::vector<double> scores, bool byte_level,
                                     internal::TokenizerParts& parts);

}  // namespace tome
