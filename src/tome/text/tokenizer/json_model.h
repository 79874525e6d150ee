// The "model" of tokenizer.json: its vocabulary, and the WordModel it makes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tome/text/tokenizer/json_field.h"
#include "tome/text/tokenizer/tokenizer_parts.h"
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

// `parts` outlives the model and has all but it: pieces with the added tokens, what text never
// becomes, named tokens and ends. Sets the unknown token where the model names one.
std::unique_ptr<WordModel> ReadModel(const JsonField& model, JsonModelType type,
                                     std::vector<double> scores, bool byte_level,
                                     internal::TokenizerParts& parts);

}  // namespace tome
