#include "tome/text/tokenizer.h"

#include <fmt/format.h>

#include <utility>

#include "tome/base/error.h"
#include "tome/text/tokenizer/tokenizer_parts.h"

namespace tome {
namespace {

using internal::TokenizerParts;

// Encodes text without added tokens, except those that are looked for after normalization.
class FragmentEncoder {
 public:
  FragmentEncoder(const TokenizerParts& parts, size_t text_bytes, std::vector<TokenId>& out)
      : parts_(parts), scratch_(text_bytes), out_(out) {}

  void Encode(std::string_view fragment, bool at_start) {
    if (fragment.empty()) return;
    if (parts_.normalizer.empty()) return EncodeNormalized(fragment, at_start);
    const std::string text = Normalized(parts_.normalizer, fragment);
    if (text.size() > kMaxEncodeBytes) {
      throw Error(Code::kOutOfMemory,
                  fmt::format("the text has {} bytes when it is normalized, more "
                              "than {}; encode it in parts",
                              text.size(), kMaxEncodeBytes));
    }
    if (parts_.added_normalized.empty()) return EncodeNormalized(text, at_start);
    for (const AddedTokens::Part& part : parts_.added_normalized.Split(text, {})) {
      EncodeNormalized(
          std::string_view(text).substr(part.text.begin, part.text.end - part.text.begin),
          at_start && part.text.begin == 0);
      if (part.token >= 0) out_.push_back(part.token);
    }
  }

 private:
  void EncodeNormalized(std::string_view text, bool at_start) {
    if (text.empty()) return;
    if (parts_.pre_tokenizer.empty()) return parts_.model->Encode(text, scratch_, out_);
    WordList list;
    list.text = text;
    list.words = {{0, static_cast<uint32_t>(text.size())}};
    list.at_start = at_start;
    for (const auto& step : parts_.pre_tokenizer) step->Apply(list);
    for (const Span& word : list.words) {
      parts_.model->Encode(list.text.substr(word.begin, word.end - word.begin), scratch_, out_);
    }
  }

  const TokenizerParts& parts_;
  EncodeScratch scratch_;
  std::vector<TokenId>& out_;
};

}  // namespace

Tokenizer::Tokenizer(std::unique_ptr<const TokenizerParts> parts) : parts_(std::move(parts)) {}
Tokenizer::~Tokenizer() = default;

std::unique_ptr<Tokenizer> Tokenizer::Create(VocabularySpec spec) {
  return std::unique_ptr<Tokenizer>(new Tokenizer(internal::PartsFromSpec(std::move(spec))));
}

std::unique_ptr<Tokenizer> Tokenizer::FromTokenizerJson(std::string_view tokenizer_json,
                                                        std::string_view tokenizer_config_json) {
  return std::unique_ptr<Tokenizer>(
      new Tokenizer(internal::PartsFromJson(tokenizer_json, tokenizer_config_json)));
}

std::vector<TokenId> Tokenizer::Encode(std::span<const TextPiece> pieces,
                                       const EncodeOptions& options) const {
  size_t size = 0;
  for (const TextPiece& piece : pieces) {
    if (piece.text.size() > kMaxEncodeBytes - size) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("a text of more than {} bytes; encode it in parts", kMaxEncodeBytes));
    }
    size += piece.text.size();
  }
  std::string joined;
  std::vector<Span> parsed;
  uint32_t at = 0;
  for (const TextPiece& piece : pieces) {
    const auto end = at + static_cast<uint32_t>(piece.text.size());
    if (pieces.size() > 1) joined += piece.text;
    if (piece.specials == Specials::kParse && at < end) {
      if (!parsed.empty() && parsed.back().end == at) {
        parsed.back().end = end;
      } else {
        parsed.push_back({at, end});
      }
    }
    at = end;
  }
  const std::string_view text = pieces.size() == 1 ? pieces[0].text : std::string_view(joined);

  std::vector<TokenId> out;
  out.reserve(text.size() / 4 + 8);
  if (options.add_special) out = parts_->prefix;
  const size_t begin = out.size();
  FragmentEncoder encoder(*parts_, text.size(), out);
  for (const AddedTokens::Part& part : parts_->added.Split(text, parsed)) {
    encoder.Encode(text.substr(part.text.begin, part.text.end - part.text.begin),
                   part.text.begin == 0);
    if (part.token >= 0) out.push_back(part.token);
  }
  if (begin > 0 && out.size() > begin && out[begin] == out[begin - 1] && out[begin] == bos()) {
    out.erase(out.begin());
  }
  if (options.add_special) out.insert(out.end(), parts_->suffix.begin(), parts_->suffix.end());
  return out;
}

std::vector<TokenId> Tokenizer::Encode(std::string_view text, Specials specials,
                                       const EncodeOptions& options) const {
  const TextPiece piece{text, specials};
  return Encode(std::span(&piece, 1), options);
}

std::string Tokenizer::Decode(std::span<const TokenId> ids, const DecodeOptions& options) const {
  std::string out;
  LeadingStrip leading(parts_->bytes);
  for (const TokenId id : ids) {
    if (!options.keep_special && IsSpecial(id)) continue;
    out += leading.Strip(parts_->bytes.Of(id));
  }
  return out;
}

std::string_view Tokenizer::Piece(TokenId id) const {
  if (id < 0 || static_cast<size_t>(id) >= parts_->pieces.size()) return {};
  return parts_->pieces.pieces()[static_cast<size_t>(id)];
}

std::string Tokenizer::TokenBytes(TokenId id) const { return std::string(parts_->bytes.Of(id)); }

std::optional<TokenId> Tokenizer::Find(std::string_view piece) const {
  return parts_->pieces.Find(piece);
}

int64_t Tokenizer::vocabulary_size() const { return static_cast<int64_t>(parts_->pieces.size()); }

bool Tokenizer::IsSpecial(TokenId id) const {
  return id >= 0 && static_cast<size_t>(id) < parts_->special.size() &&
         parts_->special[static_cast<size_t>(id)];
}

std::optional<TokenId> Tokenizer::bos() const { return parts_->named.bos; }
std::optional<TokenId> Tokenizer::eos() const { return parts_->named.eos; }
std::optional<TokenId> Tokenizer::eot() const { return parts_->named.eot; }
std::optional<TokenId> Tokenizer::unknown() const { return parts_->named.unknown; }
std::optional<TokenId> Tokenizer::padding() const { return parts_->named.padding; }
std::optional<TokenId> Tokenizer::separator() const { return parts_->named.separator; }
std::optional<TokenId> Tokenizer::cls() const { return parts_->named.cls; }
std::optional<TokenId> Tokenizer::mask() const { return parts_->named.mask; }
bool Tokenizer::adds_bos() const { return !parts_->prefix.empty(); }
bool Tokenizer::adds_eos() const { return !parts_->suffix.empty(); }

std::span<const TokenId> Tokenizer::end_of_generation() const { return parts_->end_of_generation; }

}  // namespace tome
