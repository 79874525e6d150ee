#include "tome/text/tokenizer/wordpiece.h"

#include <utility>

#include "tome/text/tokenizer/char_classes.h"

namespace tome {

WordPieceModel::WordPieceModel(const PieceIndex& pieces, const WordPieceSpec& spec)
    : unknown_(spec.unknown), max_word_chars_(spec.max_word_chars) {
  std::vector<std::pair<std::string_view, TokenId>> initial;
  std::vector<std::pair<std::string_view, TokenId>> continuing;
  for (size_t id = 0; id < pieces.size(); ++id) {
    if (id < spec.excluded.size() && spec.excluded[id]) continue;
    const std::string_view piece = pieces.pieces()[id];
    // A prefix alone is no piece of a word. With an empty prefix, every piece is of both kinds.
    if (piece.starts_with(spec.initial_prefix)) {
      initial.emplace_back(piece.substr(spec.initial_prefix.size()), static_cast<TokenId>(id));
    }
    if (piece.starts_with(spec.continuing_prefix)) {
      continuing.emplace_back(piece.substr(spec.continuing_prefix.size()),
                              static_cast<TokenId>(id));
    }
  }
  initial_ = PieceTrie(std::move(initial));
  continuing_ = PieceTrie(std::move(continuing));
}

void WordPieceModel::Encode(std::string_view word, EncodeScratch& scratch,
                            std::vector<TokenId>& out) const {
  if (word.size() > WordCache::kMaxBytes) return EncodeUncached(word, out);
  const auto [slot, known] = scratch.cache.Look(word);
  if (known) {
    for (uint32_t k = 0; k < slot->count; ++k) out.push_back(out[slot->first + k]);
    return;
  }
  slot->first = static_cast<uint32_t>(out.size());
  EncodeUncached(word, out);
  slot->count = static_cast<uint32_t>(out.size()) - slot->first;
}

void WordPieceModel::EncodeUncached(std::string_view word, std::vector<TokenId>& out) const {
  size_t chars = 0;
  for (size_t i = 0; i < word.size() && chars <= max_word_chars_; i += CharAt(word, i).bytes)
    ++chars;
  if (chars > max_word_chars_) {
    if (unknown_) out.push_back(*unknown_);
    return;
  }
  const size_t start = out.size();
  for (size_t i = 0; i < word.size();) {
    size_t longest = 0;
    TokenId id = 0;
    (i == 0 ? initial_ : continuing_)
        .ForEachPrefix(word.substr(i), [&](size_t bytes, TokenId piece) {
          longest = bytes;
          id = piece;
        });
    if (longest == 0) {
      out.resize(start);
      if (unknown_) out.push_back(*unknown_);
      return;
    }
    out.push_back(id);
    i += longest;
  }
}

}  // namespace tome
