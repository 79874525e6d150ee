// The "model" of tokenizer.json: its vocabulary, and the WordModel it makes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tome/text/tokenizer/json_field.h"
#include "tome/text/tokenizer/piece_index.h"
#include "tome/text/tokenizer/word_model.h"

namespace tome {

enum class JsonModelType { kBpe, kUnigram, kWordPiece };

// "BPE", "Unigram", "WordPiece"; files without a type are told by their fields.
JsonModelType ReadModelType(const JsonField& model);

// The pieces by id; ids that no piece has are empty. For Unigram their scores, too.
struct JsonVocabulary {
  std::vector<std::string> pieces;
  std::vector<double> scores;
};
JsonVocabulary ReadVocabulary(const JsonField& model, JsonModelType type);

// `pieces` has the added tokens as well and outlives the model; `unknown` is set where the model
// names an unknown token.
std::unique_ptr<WordModel> ReadModel(const JsonField& model, JsonModelType type,
                                     const PieceIndex& pieces, std::vector<double> scores,
                                     bool byte_level, std::optional<TokenId>& unknown);

}  // namespace tome
