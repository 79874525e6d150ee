#include "tome/text/tokenizer/json_model.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "tome/text/tokenizer.h"
#include "tome/text/tokenizer/bpe.h"
#include "tome/text/tokenizer/unigram.h"
#include "tome/text/tokenizer/wordpiece.h"

namespace tome {
namespace {

using internal::TokenizerParts;
using internal::UnknownForText;

// Returns the piece that two pieces make. A continuing prefix ("##") of the second one is dropped.
std::string Join(std::string_view left, std::string_view right, std::string_view prefix) {
  std::string both(left);
  both += !prefix.empty() && right.starts_with(prefix) ? right.substr(prefix.size()) : right;
  return both;
}

// Reads a merge: "a b", or in newer files ["a", "b"], whose pieces may hold spaces.
std::pair<std::string_view, std::string_view> ReadMerge(const nlohmann::json& merge) {
  if (merge.is_string()) {
    const std::string_view text = merge.get_ref<const std::string&>();
    const size_t space = text.find(' ');
    if (space != std::string_view::npos) return {text.substr(0, space), text.substr(space + 1)};
  } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
             merge[1].is_string()) {
    return {merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()};
  }
  return {};
}

void ReadMerges(const JsonField& model, const PieceIndex& pieces, BpeSpec& bpe) {
  const JsonField field = model.Require("merges");
  if (!field.value().is_array()) field.Fail(Code::kCorrupt, "is no array");
  if (field.value().size() > kMaxMerges) {
    field.Fail(Code::kUnsupported,
               fmt::format("{} merges, more than {}", field.value().size(), kMaxMerges));
  }
  for (size_t rank = 0; rank < field.value().size(); ++rank) {
    const auto [left_text, right_text] = ReadMerge(field.value()[rank]);
    const auto left = pieces.Find(left_text);
    const auto right = pieces.Find(right_text);
    const auto result = pieces.Find(Join(left_text, right_text, bpe.continuing_prefix));
    if (!left || !right || !result) {
      throw Error(Code::kCorrupt,
                  fmt::format("{}[{}]: no pair of pieces that make a piece", field.path(), rank));
    }
    bpe.merges.push_back({*left, *right, static_cast<uint32_t>(rank), *result});
  }
}

std::unique_ptr<WordModel> ReadBpe(const JsonField& model, bool byte_level, TokenizerParts& parts) {
  const PieceIndex& pieces = parts.pieces;
  BpeSpec bpe;
  bpe.excluded = parts.never_from_text;
  bpe.byte_level = byte_level;
  bpe.ignore_merges = model.BoolOr("ignore_merges", false);
  bpe.fuse_unknown = model.BoolOr("fuse_unk", false);
  bpe.continuing_prefix = model.StringOr("continuing_subword_prefix", "");
  bpe.word_suffix = model.StringOr("end_of_word_suffix", "");
  if (const auto token = model.Find("unk_token")) {
    parts.named.unknown = pieces.Find(token->String());
    if (!parts.named.unknown) token->Fail(Code::kCorrupt, "is not in the vocabulary");
    if (!byte_level) bpe.unknown = UnknownForText(parts, parts.named.unknown);
  }
  if (const auto dropout = model.Find("dropout"); dropout && dropout->Number() != 0) {
    dropout->Fail(Code::kUnsupported, "dropout is for training; set it to null");
  }
  if (byte_level && !bpe.continuing_prefix.empty()) {
    model.Require("continuing_subword_prefix")
        .Fail(Code::kUnsupported, "is not supported together with ByteLevel");
  }
  if (model.BoolOr("byte_fallback", false)) bpe.byte_tokens = FindByteTokens(pieces);
  ReadMerges(model, pieces, bpe);
  return std::make_unique<BpeModel>(pieces, std::move(bpe));
}

std::unique_ptr<WordModel> ReadUnigram(const JsonField& model, std::vector<double> scores,
                                       TokenizerParts& parts) {
  const PieceIndex& pieces = parts.pieces;
  UnigramSpec unigram;
  const size_t size = scores.size();
  unigram.scores = std::move(scores);
  unigram.scores.resize(pieces.size(), 0);
  unigram.excluded = parts.never_from_text;
  // Added tokens are read from the text itself, so the model must not find them.
  for (size_t id = size; id < pieces.size(); ++id) unigram.excluded[id] = true;
  if (const auto id = model.Find("unk_id")) {
    if (id->Int() < 0 || static_cast<size_t>(id->Int()) >= size) {
      id->Fail(Code::kCorrupt, "is not in the vocabulary");
    }
    parts.named.unknown = static_cast<TokenId>(id->Int());
    unigram.unknown = UnknownForText(parts, parts.named.unknown);
  }
  if (model.BoolOr("byte_fallback", false)) unigram.byte_tokens = FindByteTokens(pieces);
  return std::make_unique<UnigramModel>(pieces, std::move(unigram));
}

std::unique_ptr<WordModel> ReadWordPiece(const JsonField& model, TokenizerParts& parts) {
  WordPieceSpec wordpiece;
  wordpiece.excluded = parts.never_from_text;
  const std::string token = model.StringOr("unk_token", "[UNK]");
  parts.named.unknown = parts.pieces.Find(token);
  if (!parts.named.unknown) {
    throw Error(Code::kCorrupt,
                fmt::format("{}.unk_token: \"{}\" is not in the vocabulary", model.path(), token));
  }
  wordpiece.unknown = UnknownForText(parts, parts.named.unknown);
  wordpiece.continuing_prefix = model.StringOr("continuing_subword_prefix", "##");
  if (const auto limit = model.Find("max_input_chars_per_word")) {
    if (limit->Int() < 0 || limit->Int() > INT32_MAX) limit->Fail(Code::kCorrupt, "is no length");
    wordpiece.max_word_chars = static_cast<size_t>(limit->Int());
  }
  return std::make_unique<WordPieceModel>(parts.pieces, wordpiece);
}

}  // namespace

JsonModelType ReadModelType(const JsonField& model) {
  const auto type = model.Find("type");
  if (!type) {
    if (model.Find("merges")) return JsonModelType::kBpe;
    return model.Require("vocab").value().is_array() ? JsonModelType::kUnigram
                                                     : JsonModelType::kWordPiece;
  }
  if (type->String() == "BPE") return JsonModelType::kBpe;
  if (type->String() == "Unigram") return JsonModelType::kUnigram;
  if (type->String() == "WordPiece") return JsonModelType::kWordPiece;
  type->Fail(
      Code::kUnsupported,
      fmt::format("\"{}\" is not supported; BPE, Unigram and WordPiece are", type->String()));
}

JsonVocabulary ReadVocabulary(const JsonField& model, JsonModelType type) {
  const JsonField vocab = model.Require("vocab");
  const nlohmann::json& value = vocab.value();
  JsonVocabulary result;
  const auto limit = [&](size_t size) {
    if (size <= kMaxVocabularySize) return;
    vocab.Fail(Code::kUnsupported,
               fmt::format("{} pieces, more than {}", size, kMaxVocabularySize));
  };
  if (type == JsonModelType::kUnigram) {
    if (!value.is_array()) vocab.Fail(Code::kCorrupt, "is no array");
    limit(value.size());
    for (size_t id = 0; id < value.size(); ++id) {
      const nlohmann::json& entry = value[id];
      if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() ||
          !entry[1].is_number() || !std::isfinite(entry[1].get<double>())) {
        throw Error(Code::kCorrupt,
                    fmt::format("{}[{}]: is no pair of a piece and a score", vocab.path(), id));
      }
      result.pieces.push_back(entry[0].get_ref<const std::string&>());
      result.scores.push_back(entry[1].get<double>());
    }
    return result;
  }
  if (!value.is_object()) vocab.Fail(Code::kCorrupt, "is no object");
  for (const auto& [piece, id] : value.items()) {
    if (!id.is_number_unsigned())
      vocab.Fail(Code::kCorrupt, fmt::format("\"{}\" has no id", piece));
    const auto at = id.get<uint64_t>();
    limit(at);
    if (at >= result.pieces.size()) result.pieces.resize(at + 1);
    if (!result.pieces[at].empty()) {
      vocab.Fail(Code::kCorrupt,
                 fmt::format("\"{}\" and \"{}\" have the id {}", result.pieces[at], piece, at));
    }
    result.pieces[at] = piece;
  }
  return result;
}

std::unique_ptr<WordModel> ReadModel(const JsonField& model, JsonModelType type,
                                     std::vector<double> scores, bool byte_level,
                                     TokenizerParts& parts) {
  if (byte_level && type != JsonModelType::kBpe) {
    model.Require("type").Fail(Code::kUnsupported, "the pre-tokenizer ByteLevel is for BPE only");
  }
  switch (type) {
    case JsonModelType::kBpe:
      return ReadBpe(model, byte_level, parts);
    case JsonModelType::kUnigram:
      return ReadUnigram(model, std::move(scores), parts);
    case JsonModelType::kWordPiece:
      return ReadWordPiece(model, parts);
  }
  return nullptr;
}

}  // namespace tome
