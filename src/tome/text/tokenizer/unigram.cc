#include "tome/text/tokenizer/unigram.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "tome/text/tokenizer/char_classes.h"

namespace tome {
namespace {

constexpr double kUnknownPenalty = 10;
constexpr TokenId kUnknownPiece = -1;

}  // namespace

UnigramModel::UnigramModel(const PieceIndex& pieces, UnigramSpec spec) : spec_(std::move(spec)) {
  spec_.excluded.resize(pieces.size(), false);
  std::vector<std::pair<std::string_view, TokenId>> entries;
  std::vector<std::string_view> texts;
  double lowest = std::numeric_limits<double>::max();
  for (size_t id = 0; id < pieces.size(); ++id) {
    if (spec_.excluded[id]) continue;
    entries.emplace_back(pieces.pieces()[id], static_cast<TokenId>(id));
    texts.push_back(pieces.pieces()[id]);
    lowest = std::min(lowest, spec_.scores[id]);
  }
  unknown_score_ = (entries.empty() ? 0 : lowest) - kUnknownPenalty;
  trie_ = PieceTrie(std::move(entries));
  neighbours_ = std::make_unique<NeighbourSet>(texts);
}

void UnigramModel::Encode(std::string_view word, EncodeScratch& scratch,
                          std::vector<TokenId>& out) const {
  const size_t word_start = out.size();
  ForEachPart(*neighbours_, word,
              [&](std::string_view part) { EncodePart(part, scratch, word_start, out); });
}

void UnigramModel::EncodePart(std::string_view part, EncodeScratch& scratch, size_t word_start,
                              std::vector<TokenId>& out) const {
  const auto fuses = [&](TokenId id) {
    return spec_.unknown && id == *spec_.unknown && out.size() > word_start && out.back() == id;
  };
  WordCache::Slot* slot = nullptr;
  if (part.size() <= WordCache::kMaxBytes) {
    const auto [found, known] = scratch.cache.Look(part);
    slot = found;
    if (known) {
      for (uint32_t k = 0; k < slot->count; ++k) {
        const TokenId id = out[slot->first + k];
        if (k > 0 || !fuses(id)) out.push_back(id);
      }
      return;
    }
  }
  // scores[i] is the best sum of a segmentation that ends at byte i; ids[i] and starts[i] are its
  // last piece.
  constexpr double kUnreached = -std::numeric_limits<double>::infinity();
  auto& scores = scratch.scores;
  scores.assign(part.size() + 1, kUnreached);
  scratch.ids.resize(part.size() + 1);
  scratch.starts.resize(part.size() + 1);
  scores[0] = 0;
  for (size_t i = 0; i < part.size();) {
    const size_t char_bytes = CharAt(part, i).bytes;
    bool covered = false;  // some piece is exactly this character
    const auto offer = [&](size_t end, double score, TokenId id) {
      if (score <= scores[end]) return;
      scores[end] = score;
      scratch.ids[end] = id;
      scratch.starts[end] = static_cast<uint32_t>(i);
    };
    trie_.ForEachPrefix(part.substr(i), [&](size_t bytes, TokenId id) {
      if (bytes == char_bytes) covered = true;
      offer(i + bytes, scores[i] + spec_.scores[static_cast<size_t>(id)], id);
    });
    if (!covered) offer(i + char_bytes, scores[i] + unknown_score_, kUnknownPiece);
    i += char_bytes;
  }
  // The best segmentation is walked from its end to its beginning. `next` collects the ends of its
  // pieces.
  auto& ends = scratch.next;
  ends.clear();
  for (size_t end = part.size(); end > 0; end = scratch.starts[end]) {
    ends.push_back(static_cast<uint32_t>(end));
  }
  const size_t part_start = out.size();
  const bool before_unknown =
      spec_.unknown && part_start > word_start && out.back() == *spec_.unknown;
  for (size_t k = ends.size(); k-- > 0;) {
    const TokenId id = scratch.ids[ends[k]];
    if (id != kUnknownPiece) {
      out.push_back(id);
    } else if (spec_.byte_tokens) {
      for (uint32_t i = scratch.starts[ends[k]]; i < ends[k]; ++i) {
        out.push_back((*spec_.byte_tokens)[static_cast<unsigned char>(part[i])]);
      }
    } else if (spec_.unknown && !fuses(*spec_.unknown)) {
      out.push_back(*spec_.unknown);
    }
  }
  if (slot == nullptr) return;
  if (before_unknown) {
    // The tokens just written may not be all tokens of this part.
    slot->key = {};
    return;
  }
  slot->first = static_cast<uint32_t>(part_start);
  slot->count = static_cast<uint32_t>(out.size() - part_start);
}

}  // namespace tome
