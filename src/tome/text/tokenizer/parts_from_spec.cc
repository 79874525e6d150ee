#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "tome/base/error.h"
#include "tome/text/tokenizer.h"
#include "tome/text/tokenizer/bpe.h"
#include "tome/text/tokenizer/named_pre_tokenizers.h"
#include "tome/text/tokenizer/tokenizer_parts.h"
#include "tome/text/tokenizer/unigram.h"
#include "tome/text/tokenizer/wordpiece.h"

namespace tome::internal {
namespace {

constexpr std::string_view kLowBlock = "\xE2\x96\x81";  // "▁", SentencePiece's space

[[noreturn]] void Corrupt(std::string_view field, std::string_view what) {
  throw Error(Code::kCorrupt,
              fmt::format("tokenizer.ggml.{}: {}; convert the model again", field, what));
}

// Builds the parts of one vocabulary, field by field.
class SpecBuilder {
 public:
  explicit SpecBuilder(VocabularySpec spec) : spec_(std::move(spec)), parts_(new TokenizerParts) {}

  std::unique_ptr<TokenizerParts> Build() {
    CheckPieces();
    ReadNamed();
    FindEnds();
    if (spec_.model == "gpt2") {
      BuildByteLevel();
    } else if (spec_.model == "llama") {
      BuildSentencePieceBpe();
    } else if (spec_.model == "t5") {
      BuildUnigram();
    } else if (spec_.model == "bert") {
      BuildWordPiece();
    } else {
      throw Error(
          Code::kUnsupported,
          fmt::format("tokenizer.ggml.model: \"{}\" is not supported; gpt2, llama, t5 and bert "
                      "are",
                      spec_.model));
    }
    AddTokens();
    AddEnds();
    return std::move(parts_);
  }

 private:
  size_t size() const { return parts_->pieces.size(); }
  bool IsType(size_t id, TokenType type) const {
    return !spec_.token_types.empty() && spec_.token_types[id] == static_cast<int32_t>(type);
  }

  void CheckPieces() {
    CheckPieceLimits(spec_.tokens, "tokenizer.ggml.tokens");
    const size_t count = spec_.tokens.size();
    if (!spec_.token_types.empty() && spec_.token_types.size() != count) {
      Corrupt("token_type", fmt::format("{} types for {} tokens", spec_.token_types.size(), count));
    }
    const bool needs_scores = spec_.model == "llama" || spec_.model == "t5";
    if (needs_scores && spec_.scores.size() != count) {
      Corrupt("scores", fmt::format("{} scores for {} tokens", spec_.scores.size(), count));
    }
    if (needs_scores) {
      const auto bad = std::find_if(spec_.scores.begin(), spec_.scores.end(),
                                    [](float score) { return !std::isfinite(score); });
      if (bad != spec_.scores.end()) {
        Corrupt(fmt::format("scores[{}]", bad - spec_.scores.begin()), "not a finite number");
      }
    }
    for (size_t id = 0; id < count; ++id) {
      if (IsType(id, TokenType::kByte) && !ByteOfPiece(spec_.tokens[id])) {
        Corrupt(
            fmt::format("tokens[{}]", id),
            fmt::format("\"{}\" is of type byte, but not of the form <0x41>", spec_.tokens[id]));
      }
    }
    parts_->pieces = PieceIndex(std::move(spec_.tokens));
    parts_->special.resize(count);
    for (size_t id = 0; id < count; ++id) {
      parts_->special[id] = IsType(id, TokenType::kControl) || IsType(id, TokenType::kUnknown);
    }
  }

  void ReadNamed() {
    const bool llama = spec_.model == "llama";
    const bool t5 = spec_.model == "t5";
    const bool bert = spec_.model == "bert";
    const auto read = [&](std::string_view field, std::optional<TokenId> id, TokenId otherwise) {
      if (id && (*id < 0 || static_cast<size_t>(*id) >= size())) {
        Corrupt(field, fmt::format("{} is not in the vocabulary of {}", *id, size()));
      }
      if (!id && otherwise >= 0 && static_cast<size_t>(otherwise) < size()) id = otherwise;
      return id;
    };
    NamedTokens& named = parts_->named;
    if (bert && !spec_.bos) spec_.bos = spec_.cls;
    named.bos = read("bos_token_id", spec_.bos, llama ? 1 : bert ? 101 : -1);
    named.eos = read("eos_token_id", spec_.eos, llama ? 2 : t5 ? 1 : -1);
    named.eot = read("eot_token_id", spec_.eot, -1);
    named.eom = read("eom_token_id", spec_.eom, -1);
    named.unknown = read("unknown_token_id", spec_.unknown, llama ? 0 : t5 ? 2 : bert ? 100 : -1);
    named.separator = read("seperator_token_id", spec_.separator, bert ? 102 : -1);
    named.padding = read("padding_token_id", spec_.padding, t5 || bert ? 0 : -1);
    named.cls = read("cls_token_id", spec_.cls, -1);
    named.mask = read("mask_token_id", spec_.mask, bert ? 103 : -1);
    if (bert && !named.cls) named.cls = named.bos;
  }

  void FindEnds() {
    std::vector<bool> is_control(size());
    for (size_t id = 0; id < size(); ++id) {
      is_control[id] = IsType(id, TokenType::kControl) || IsType(id, TokenType::kUserDefined);
    }
    FindEndTokens(*parts_, is_control);
    parts_->never_from_text.resize(size());
    for (size_t id = 0; id < size(); ++id) {
      parts_->never_from_text[id] =
          parts_->special[id] || IsType(id, TokenType::kUnused) || IsType(id, TokenType::kByte) ||
          (IsType(id, TokenType::kUserDefined) && LooksLikeControl(parts_->pieces.pieces()[id]));
    }
  }

  void BuildByteLevel() {
    const NamedPreTokenizer pre =
        MakeNamedPreTokenizer(spec_.pre.empty() ? std::string(kAssumedPreTokenizer) : spec_.pre);
    default_bos_ = pre.info.add_bos && parts_->named.bos.has_value();
    BpeSpec bpe;
    bpe.byte_level = true;
    bpe.ignore_merges = pre.info.ignore_merges;
    bpe.excluded = parts_->never_from_text;
    if (spec_.merges.empty() && size() > 256) Corrupt("merges", "missing");
    if (spec_.merges.size() > kMaxMerges) {
      throw Error(Code::kUnsupported, fmt::format("tokenizer.ggml.merges: {} merges, more than {}",
                                                  spec_.merges.size(), kMaxMerges));
    }
    for (size_t rank = 0; rank < spec_.merges.size(); ++rank) {
      // A piece holds no space (a space is written "Ġ"), but in damaged files a piece may be one.
      // So the first character always belongs to the left piece.
      const std::string_view merge = spec_.merges[rank];
      const size_t space = merge.find(' ', 1);
      if (space == std::string_view::npos) {
        Corrupt(fmt::format("merges[{}]", rank), fmt::format("\"{}\" is no pair", merge));
      }
      const auto left = parts_->pieces.Find(merge.substr(0, space));
      const auto right = parts_->pieces.Find(merge.substr(space + 1));
      std::string both(merge);
      both.erase(space, 1);
      const auto result = parts_->pieces.Find(both);
      // Some files carry merges of pieces that were taken out of the vocabulary.
      if (left && right && result) {
        bpe.merges.push_back({*left, *right, static_cast<uint32_t>(rank), *result});
      }
    }
    if (bpe.merges.empty() && !spec_.merges.empty()) {
      Corrupt("merges", "none is of pieces of the vocabulary");
    }
    parts_->pre_tokenizer = MakeSteps(pre);
    parts_->model = std::make_unique<BpeModel>(parts_->pieces, std::move(bpe));
    decoder_ = {{DecoderStep::Kind::kByteLevel, "", "", 0}};
  }

  std::optional<ByteTokens> BytesByType() const {
    auto tokens = FindByteTokens(parts_->pieces);
    if (tokens && !spec_.token_types.empty() &&
        !std::all_of(tokens->begin(), tokens->end(), [&](TokenId id) {
          return IsType(static_cast<size_t>(id), TokenType::kByte);
        })) {
      tokens.reset();
    }
    return tokens;
  }
  void DecodeSentencePiece(bool prefix) {
    decoder_ = {{DecoderStep::Kind::kReplace, std::string(kLowBlock), " ", 0},
                {DecoderStep::Kind::kByteFallback, "", "", 0}};
    if (prefix) decoder_.push_back({DecoderStep::Kind::kStrip, " ", "", 1});
  }

  void BuildSentencePieceBpe() {
    default_bos_ = parts_->named.bos.has_value();
    const bool prefix = spec_.add_space_prefix.value_or(true);
    if (prefix) parts_->normalizer.push_back(PrependStep(std::string(kLowBlock)));
    parts_->normalizer.push_back(ReplaceStep(" ", std::string(kLowBlock)));
    BpeSpec bpe;
    bpe.unknown = UnknownForText(*parts_, parts_->named.unknown);
    bpe.fuse_unknown = true;
    bpe.byte_tokens = BytesByType();
    bpe.excluded = parts_->never_from_text;
    MergesFromScores(parts_->pieces, spec_.scores, "tokenizer.ggml.tokens", bpe);
    parts_->model = std::make_unique<BpeModel>(parts_->pieces, std::move(bpe));
    DecodeSentencePiece(prefix);
  }

  void BuildUnigram() {
    default_eos_ = parts_->named.eos.has_value();
    const bool prefix = spec_.add_space_prefix.value_or(false);
    if (!spec_.precompiled_charsmap.empty()) {
      parts_->normalizer.push_back(
          CharsmapStep(spec_.precompiled_charsmap, "tokenizer.ggml.precompiled_charsmap"));
    }
    if (spec_.remove_extra_whitespaces.value_or(false)) {
      parts_->normalizer.push_back(CollapseSpacesStep());
    }
    if (prefix) parts_->normalizer.push_back(PrependStep(std::string(kLowBlock)));
    parts_->normalizer.push_back(ReplaceStep(" ", std::string(kLowBlock)));
    UnigramSpec unigram;
    unigram.scores.assign(spec_.scores.begin(), spec_.scores.end());
    unigram.unknown = UnknownForText(*parts_, parts_->named.unknown);
    unigram.byte_tokens = BytesByType();
    unigram.excluded = parts_->never_from_text;
    for (size_t id = 0; id < size(); ++id) {
      if (IsType(id, TokenType::kUserDefined)) unigram.scores[id] = 0;
    }
    parts_->model = std::make_unique<UnigramModel>(parts_->pieces, std::move(unigram));
    DecodeSentencePiece(prefix);
  }

  void BuildWordPiece() {
    default_bos_ = parts_->named.bos.has_value();
    WordPieceSpec wordpiece;
    if (!parts_->named.unknown) Corrupt("unknown_token_id", "missing");
    wordpiece.unknown = UnknownForText(*parts_, parts_->named.unknown);
    const auto& pieces = parts_->pieces.pieces();
    const bool phantom_spaces =
        std::any_of(pieces.begin(), pieces.end(),
                    [](const std::string& piece) { return piece.starts_with(kLowBlock); });
    if (phantom_spaces) {
      wordpiece.initial_prefix = kLowBlock;
      wordpiece.continuing_prefix = "";
      decoder_ = {{DecoderStep::Kind::kReplace, std::string(kLowBlock), " ", 0},
                  {DecoderStep::Kind::kStrip, " ", "", 1}};
    } else {
      decoder_ = {{DecoderStep::Kind::kWordPiece, "##", "", 0}};
    }
    decoder_.push_back({DecoderStep::Kind::kCleanUp, "", "", 0});
    wordpiece.excluded = parts_->never_from_text;
    parts_->normalizer.push_back(BertStep({}));
    parts_->pre_tokenizer.push_back(CharStep(CharKind::kWhiteSpace, SplitBehavior::kRemoved));
    parts_->pre_tokenizer.push_back(CharStep(CharKind::kSign, SplitBehavior::kIsolated));
    parts_->model = std::make_unique<WordPieceModel>(parts_->pieces, wordpiece);
  }

  void AddTokens() {
    const bool spaced = spec_.model == "llama" || spec_.model == "t5";
    std::vector<AddedToken> added;
    std::vector<bool> literal(size());
    for (size_t id = 0; id < size(); ++id) {
      const bool user_defined = IsType(id, TokenType::kUserDefined);
      if (!parts_->special[id] && !user_defined) continue;
      literal[id] = parts_->special[id] || !spaced;
      AddedToken token;
      token.content = parts_->pieces.pieces()[id];
      token.id = static_cast<TokenId>(id);
      token.only_parsed = parts_->special[id] || LooksLikeControl(token.content);
      if (user_defined && spaced) {
        std::string text = token.content;
        ReplaceStep(std::string(kLowBlock), " ")->Apply(text);
        token.content = std::move(text);
      }
      if (token.content.size() > AddedTokens::kMaxContentBytes) {
        throw Error(
            Code::kUnsupported,
            fmt::format("tokenizer.ggml.tokens[{}]: a special token of {} bytes, more than {}", id,
                        token.content.size(), AddedTokens::kMaxContentBytes));
      }
      added.push_back(std::move(token));
    }
    parts_->added = AddedTokens(std::move(added));
    parts_->bytes = TokenBytesTable(parts_->pieces.pieces(), literal, decoder_);
  }

  void AddEnds() {
    const auto need = [&](std::string_view field, std::optional<TokenId> id) {
      if (!id) Corrupt(field, "true, but the vocabulary names no such token");
      return *id;
    };
    const NamedTokens& named = parts_->named;
    if (spec_.add_bos.value_or(default_bos_))
      parts_->prefix.push_back(need("add_bos_token", named.bos));
    if (spec_.add_eos.value_or(default_eos_))
      parts_->suffix.push_back(need("add_eos_token", named.eos));
    const bool bert = spec_.model == "bert";
    if (parts_->suffix.empty() && spec_.add_sep.value_or(bert && named.separator.has_value())) {
      // In byte-level files add_sep_token means the separator between two texts.
      if (bert) parts_->suffix.push_back(need("add_sep_token", named.separator));
    }
  }

  VocabularySpec spec_;
  std::unique_ptr<TokenizerParts> parts_;
  std::vector<DecoderStep> decoder_;
  bool default_bos_ = false;
  bool default_eos_ = false;
};

}  // namespace

std::unique_ptr<TokenizerParts> PartsFromSpec(VocabularySpec spec) {
  return SpecBuilder(std::move(spec)).Build();
}

}  // namespace tome::internal
