#include "tome/text/tokenizer/bpe.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

#include "tome/text/tokenizer/byte_alphabet.h"

namespace tome {

BpeModel::BpeModel(const PieceIndex& pieces, BpeSpec spec)
    : pieces_(pieces), spec_(std::move(spec)) {
  spec_.excluded.resize(pieces.size(), false);
  const size_t slots = std::bit_ceil(spec_.merges.size() * 2 + 2);
  merges_.resize(slots);
  merge_mask_ = slots - 1;
  merge_shift_ = static_cast<uint32_t>(64 - std::countr_zero(slots));
  for (const BpeMerge& merge : spec_.merges) {
    if (!spec_.excluded[static_cast<size_t>(merge.result)]) InsertMerge(merge);
  }
  BuildSymbols();
  if (spec_.ignore_merges && spec_.byte_level) {
    std::vector<std::string> words(pieces.size());
    for (size_t id = 0; id < words.size(); ++id) {
      if (!spec_.excluded[id]) words[id] = BytesOfLetters(pieces.pieces()[id]).value_or("");
    }
    words_ = PieceIndex(std::move(words));
  }
  if (!spec_.byte_level && !spec_.ignore_merges && spec_.continuing_prefix.empty() &&
      spec_.word_suffix.empty()) {
    std::vector<std::string_view> joined;
    joined.reserve(spec_.merges.size());
    for (const BpeMerge& merge : spec_.merges) {
      joined.push_back(pieces.pieces()[static_cast<size_t>(merge.result)]);
    }
    neighbours_ = std::make_unique<NeighbourSet>(joined);
  }
  spec_.merges.clear();
  spec_.merges.shrink_to_fit();
}

void BpeModel::InsertMerge(const BpeMerge& merge) {
  const uint64_t pair =
      uint64_t{static_cast<uint32_t>(merge.left)} << 32 | static_cast<uint32_t>(merge.right);
  size_t slot = pair * 0x9E3779B97F4A7C15 >> merge_shift_;
  while (merges_[slot].rank != kNoRank) {
    if (merges_[slot].pair == pair) return;
    slot = (slot + 1) & merge_mask_;
  }
  merges_[slot] = {pair, merge.rank, merge.result};
}

void BpeModel::BuildSymbols() {
  const auto symbol_of = [&](std::string_view text) {
    const std::optional<TokenId> id = pieces_.Find(text);
    return id && !spec_.excluded[static_cast<size_t>(*id)] ? *id : kNoSymbol;
  };
  for (size_t b = 0; b < 256; ++b) {
    const std::string letter(LetterOfByte(static_cast<uint8_t>(b)));
    byte_symbols_[b] = symbol_of(letter);
    last_byte_symbols_[b] =
        spec_.word_suffix.empty() ? byte_symbols_[b] : symbol_of(letter + spec_.word_suffix);
  }
  if (spec_.byte_level) return;
  // Characters that are pieces are stored in blocks of 256; block 0 has none.
  char_index_.assign(0x1101, 0);
  char_symbols_.assign(256, kNoSymbol);
  const auto add = [&](std::string_view text, TokenId symbol) {
    if (text.empty()) return;
    const TextChar c = CharAt(text, 0);
    if (c.bytes != text.size()) return;
    uint16_t& block = char_index_[c.code_point >> 8];
    if (block == 0) {
      block = static_cast<uint16_t>(char_symbols_.size() / 256);
      char_symbols_.resize(char_symbols_.size() + 256, kNoSymbol);
    }
    TokenId& slot = char_symbols_[size_t{block} << 8 | (c.code_point & 0xFF)];
    if (slot == kNoSymbol) slot = symbol;
  };
  for (size_t id = 0; id < pieces_.size(); ++id) {
    if (!spec_.excluded[id]) add(pieces_.pieces()[id], static_cast<TokenId>(id));
  }
  for (size_t i = 0; i < spec_.extra_symbols.size(); ++i) {
    add(spec_.extra_symbols[i], static_cast<TokenId>(pieces_.size() + i));
  }
}

TokenId BpeModel::SymbolOf(std::string_view symbol, char32_t code_point, bool first,
                           bool last) const {
  const bool prefixed = !first && !spec_.continuing_prefix.empty();
  const bool suffixed = last && !spec_.word_suffix.empty();
  if (!prefixed && !suffixed) {
    return char_symbols_[size_t{char_index_[code_point >> 8]} << 8 | (code_point & 0xFF)];
  }
  std::string piece = prefixed ? spec_.continuing_prefix : std::string();
  piece += symbol;
  if (suffixed) piece += spec_.word_suffix;
  const std::optional<TokenId> id = pieces_.Find(piece);
  return id && !spec_.excluded[static_cast<size_t>(*id)] ? *id : kNoSymbol;
}

void BpeModel::Encode(std::string_view word, EncodeScratch& scratch,
                      std::vector<TokenId>& out) const {
  const size_t word_start = out.size();
  if (neighbours_ == nullptr) return EncodePart(word, scratch, word_start, out);
  ForEachPart(*neighbours_, word,
              [&](std::string_view part) { EncodePart(part, scratch, word_start, out); });
}

void BpeModel::EncodePart(std::string_view part, EncodeScratch& scratch, size_t word_start,
                          std::vector<TokenId>& out) const {
  WordCache::Slot* slot = nullptr;
  // A part after an unknown token is not cached: its first token may fuse with that one.
  if (part.size() <= WordCache::kMaxBytes) {
    const auto [found, known] = scratch.cache.Look(part);
    slot = found;
    if (known) {
      for (uint32_t k = 0; k < slot->count; ++k) {
        const TokenId id = out[slot->first + k];
        const bool fused = k == 0 && spec_.fuse_unknown && id == spec_.unknown &&
                           out.size() > word_start && out.back() == id;
        if (!fused) out.push_back(id);
      }
      return;
    }
  }
  const size_t part_start = out.size();
  const bool fuses_with_before = spec_.fuse_unknown && part_start > word_start && spec_.unknown &&
                                 out.back() == *spec_.unknown;
  const std::optional<TokenId> whole =
      !spec_.ignore_merges ? std::nullopt : (spec_.byte_level ? words_ : pieces_).Find(part);
  if (whole && !spec_.excluded[static_cast<size_t>(*whole)]) {
    out.push_back(*whole);
  } else {
    ReadSymbols(part, scratch);
    const size_t count =
        scratch.ids.size() <= kShortWord ? MergeShort(scratch) : MergeLong(scratch);
    for (size_t k = 0; k < count; ++k) {
      const uint32_t begin = scratch.starts[k];
      Emit(scratch.ids[k], part.substr(begin, scratch.starts[k + 1] - begin), word_start, out);
    }
  }
  if (slot == nullptr) return;
  if (fuses_with_before) {
    // The tokens just written are not all tokens of this part.
    slot->key = {};
    return;
  }
  slot->first = static_cast<uint32_t>(part_start);
  slot->count = static_cast<uint32_t>(out.size() - part_start);
}

void BpeModel::ReadSymbols(std::string_view part, EncodeScratch& scratch) const {
  scratch.ids.clear();
  scratch.starts.clear();
  if (spec_.byte_level) {
    scratch.ids.resize(part.size());
    scratch.starts.resize(part.size() + 1);
    for (size_t i = 0; i < part.size(); ++i) {
      scratch.ids[i] = byte_symbols_[static_cast<unsigned char>(part[i])];
      scratch.starts[i] = static_cast<uint32_t>(i);
    }
    scratch.ids.back() = last_byte_symbols_[static_cast<unsigned char>(part.back())];
    scratch.starts.back() = static_cast<uint32_t>(part.size());
    return;
  }
  for (size_t i = 0; i < part.size();) {
    const TextChar c = CharAt(part, i);
    scratch.starts.push_back(static_cast<uint32_t>(i));
    scratch.ids.push_back(
        SymbolOf(part.substr(i, c.bytes), c.code_point, i == 0, i + c.bytes == part.size()));
    i += c.bytes;
  }
  scratch.starts.push_back(static_cast<uint32_t>(part.size()));
}

size_t BpeModel::MergeShort(EncodeScratch& scratch) const {
  size_t count = scratch.ids.size();
  auto& ids = scratch.ids;
  auto& starts = scratch.starts;
  std::array<Found, kShortWord> pairs;  // the merge of symbols i and i + 1
  for (size_t i = 0; i + 1 < count; ++i) pairs[i] = FindMerge(ids[i], ids[i + 1]);
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i) {
      if (pairs[i].rank < pairs[best].rank) best = i;
    }
    if (pairs[best].rank == kNoRank) break;
    ids[best] = pairs[best].result;
    --count;
    for (size_t i = best + 1; i < count; ++i) {
      ids[i] = ids[i + 1];
      starts[i] = starts[i + 1];
      pairs[i - 1] = pairs[i];
    }
    starts[count] = starts[count + 1];
    if (best + 1 < count) pairs[best] = FindMerge(ids[best], ids[best + 1]);
    if (best > 0) pairs[best - 1] = FindMerge(ids[best - 1], ids[best]);
  }
  return count;
}

size_t BpeModel::MergeLong(EncodeScratch& scratch) const {
  // A heap entry is rank << 32 | position of the left symbol, so that the lowest rank comes first,
  // and among equal ranks the leftmost pair. It is stale where that pair has another rank by then.
  const size_t count = scratch.ids.size();
  auto& ids = scratch.ids;
  scratch.next.resize(count);
  scratch.previous.resize(count);
  scratch.ranks.assign(count, kNoRank);
  scratch.merged.resize(count);
  scratch.heap.clear();
  constexpr uint32_t kEnd = UINT32_MAX;
  const auto look = [&](uint32_t i) {
    const uint32_t right = scratch.next[i];
    const Found found = right == kEnd ? Found{kNoRank, -1} : FindMerge(ids[i], ids[right]);
    scratch.ranks[i] = found.rank;
    scratch.merged[i] = found.result;
    return found.rank != kNoRank;
  };
  for (uint32_t i = 0; i < count; ++i) {
    scratch.next[i] = i + 1 < count ? i + 1 : kEnd;
    scratch.previous[i] = i > 0 ? i - 1 : kEnd;
  }
  for (uint32_t i = 0; i < count; ++i) {
    if (look(i)) scratch.heap.push_back(uint64_t{scratch.ranks[i]} << 32 | i);
  }
  std::make_heap(scratch.heap.begin(), scratch.heap.end(), std::greater<>());
  const auto push = [&](uint32_t i) {
    if (!look(i)) return;
    scratch.heap.push_back(uint64_t{scratch.ranks[i]} << 32 | i);
    std::push_heap(scratch.heap.begin(), scratch.heap.end(), std::greater<>());
  };
  while (!scratch.heap.empty()) {
    std::pop_heap(scratch.heap.begin(), scratch.heap.end(), std::greater<>());
    const uint64_t top = scratch.heap.back();
    scratch.heap.pop_back();
    const auto i = static_cast<uint32_t>(top);
    if (scratch.ranks[i] != top >> 32) continue;
    const uint32_t gone = scratch.next[i];
    ids[i] = scratch.merged[i];
    scratch.next[i] = scratch.next[gone];
    scratch.ranks[gone] = kNoRank;
    if (scratch.next[i] != kEnd) scratch.previous[scratch.next[i]] = i;
    push(i);
    if (scratch.previous[i] != kEnd) push(scratch.previous[i]);
  }
  size_t kept = 0;
  for (uint32_t i = 0; i != kEnd; i = scratch.next[i]) {
    ids[kept] = ids[i];
    scratch.starts[kept] = scratch.starts[i];
    ++kept;
  }
  scratch.starts[kept] = scratch.starts[count];
  return kept;
}

void BpeModel::Emit(TokenId symbol, std::string_view text, size_t word_start,
                    std::vector<TokenId>& out) const {
  if (symbol >= 0 && static_cast<size_t>(symbol) < pieces_.size()) {
    out.push_back(symbol);
  } else if (spec_.byte_tokens) {
    for (const char byte : text)
      out.push_back((*spec_.byte_tokens)[static_cast<unsigned char>(byte)]);
  } else if (spec_.unknown) {
    const bool fused =
        spec_.fuse_unknown && out.size() > word_start && out.back() == *spec_.unknown;
    if (!fused) out.push_back(*spec_.unknown);
  }
}

}  // namespace tome
