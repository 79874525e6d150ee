#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "tome/base/error.h"
#include "tome/text/tokenizer/bpe.h"

namespace tome {
namespace {

// Longer pieces do not come from SentencePiece (its default is 16 characters) and would make the
// table quadratic in their length.
constexpr size_t kMaxMergedPieceBytes = 512;

}  // namespace

void MergesFromScores(const PieceIndex& pieces, const std::vector<float>& scores,
                      std::string_view field, BpeSpec& spec) {
  spec.excluded.resize(pieces.size(), false);
  // A symbol is a character, whether it is a piece or not, or a piece that a merge made.
  std::unordered_map<std::string_view, TokenId> extra;
  const auto symbol_of = [&](std::string_view text) -> std::optional<TokenId> {
    const std::optional<TokenId> id = pieces.Find(text);
    if (id && !spec.excluded[static_cast<size_t>(*id)]) return id;
    if (CharAt(text, 0).bytes != text.size()) return std::nullopt;
    const auto next = static_cast<TokenId>(pieces.size() + extra.size());
    return extra.emplace(text, next).first->second;
  };
  for (size_t id = 0; id < pieces.size(); ++id) {
    const std::string_view piece = pieces.pieces()[id];
    if (spec.excluded[id] || piece.empty() || pieces.Find(piece) != static_cast<TokenId>(id))
      continue;
    if (piece.size() > kMaxMergedPieceBytes) {
      throw Error(Code::kUnsupported,
                  fmt::format("{}[{}]: the piece has {} bytes, more than the {} "
                              "that a merged piece may have",
                              field, id, piece.size(), kMaxMergedPieceBytes));
    }
    for (size_t cut = CharAt(piece, 0).bytes; cut < piece.size(); cut += CharAt(piece, cut).bytes) {
      const std::optional<TokenId> left = symbol_of(piece.substr(0, cut));
      if (!left) continue;
      const std::optional<TokenId> right = symbol_of(piece.substr(cut));
      if (right) spec.merges.push_back({*left, *right, 0, static_cast<TokenId>(id)});
    }
  }
  spec.extra_symbols.resize(extra.size());
  for (const auto& [text, id] : extra) {
    spec.extra_symbols[static_cast<size_t>(id) - pieces.size()] = std::string(text);
  }
  // Equal scores have equal rank, so that among them the leftmost pair is merged first.
  std::vector<float> distinct;
  distinct.reserve(spec.merges.size());
  const auto score_of = [&](const BpeMerge& merge) {
    return scores[static_cast<size_t>(merge.result)];
  };
  for (const BpeMerge& merge : spec.merges) distinct.push_back(score_of(merge));
  std::sort(distinct.begin(), distinct.end(), std::greater<>());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (BpeMerge& merge : spec.merges) {
    const auto it =
        std::lower_bound(distinct.begin(), distinct.end(), score_of(merge), std::greater<>());
    merge.rank = static_cast<uint32_t>(it - distinct.begin());
  }
}

}  // namespace tome
