#include "tome/embed/text_parts.h"

#include <algorithm>

#include "tome/text/unicode.h"

namespace tome {
namespace {

// Offsets where a text may be cut: the best kind first.
struct CutPlaces {
  std::vector<uint64_t> sentences;
  std::vector<uint64_t> words;
  std::vector<uint64_t> characters;
};

// Words are separated by white space; every CJK character may begin one.
CutPlaces PlacesOf(std::string_view text, SentenceSplitter& splitter) {
  CutPlaces places{.sentences = splitter.Ends(text), .words = {}, .characters = {}};
  bool after_space = false;
  for (uint64_t at = 0; at < text.size();) {
    const uint64_t begin = at;
    const char32_t c = NextCodePoint(text, at);
    const bool space = IsWhiteSpace(c);
    if (begin > 0) {
      places.characters.push_back(begin);
      if (!space && (after_space || IsCjk(c))) places.words.push_back(begin);
    }
    after_space = space;
  }
  return places;
}

// Returns the place nearest to `target` that lies within `reach` of it and inside (begin, end), or
// `end` where there is none.
uint64_t Nearest(const std::vector<uint64_t>& places, uint64_t target, uint64_t reach,
                 uint64_t begin, uint64_t end) {
  const auto after = std::lower_bound(places.begin(), places.end(), target);
  const auto distance = [&](uint64_t place) {
    return place > target ? place - target : target - place;
  };
  uint64_t best = end;
  uint64_t best_distance = reach + 1;
  const auto take = [&](uint64_t place) {
    if (place <= begin || place >= end || distance(place) >= best_distance) return;
    best = place;
    best_distance = distance(place);
  };
  if (after != places.end()) take(*after);
  if (after != places.begin()) take(*std::prev(after));
  return best;
}

class Splitter {
 public:
  Splitter(std::string_view text, int64_t max_tokens, const CountTokensFn& count,
           SentenceSplitter& sentences)
      : text_(text), max_tokens_(max_tokens), count_(count), places_(PlacesOf(text, sentences)) {}

  // Appends the parts of [begin, end), which has `tokens` tokens.
  void Split(uint64_t begin, uint64_t end, int64_t tokens, std::vector<std::string_view>& out) {
    const std::vector<uint64_t> cuts = CutsOf(begin, end, tokens);
    if (tokens <= max_tokens_ || cuts.empty()) {
      out.push_back(text_.substr(begin, end - begin));
      return;
    }
    uint64_t from = begin;
    for (size_t i = 0; i <= cuts.size(); ++i) {
      const uint64_t to = i < cuts.size() ? cuts[i] : end;
      Split(from, to, count_(text_.substr(from, to - from)), out);
      from = to;
    }
  }

 private:
  // Returns where [begin, end) is cut into as many parts as its tokens need. Empty for a single
  // character.
  std::vector<uint64_t> CutsOf(uint64_t begin, uint64_t end, int64_t tokens) const {
    std::vector<uint64_t> cuts;
    if (tokens <= max_tokens_) return cuts;
    const auto parts = static_cast<uint64_t>((tokens + max_tokens_ - 1) / max_tokens_);
    // A part may be longer than the others by its share of the room that the last one leaves.
    const uint64_t step = (end - begin) / parts;
    uint64_t from = begin;
    for (uint64_t i = 1; i < parts; ++i) {
      const uint64_t cut = Cut(begin + step * i, step, from, end);
      if (cut == end) break;
      cuts.push_back(from = cut);
    }
    return cuts;
  }

  uint64_t Cut(uint64_t target, uint64_t step, uint64_t begin, uint64_t end) const {
    uint64_t cut = Nearest(places_.sentences, target, step / 3, begin, end);
    if (cut == end) cut = Nearest(places_.words, target, step / 8, begin, end);
    if (cut == end) cut = Nearest(places_.characters, target, end - begin, begin, end);
    return cut;
  }

  std::string_view text_;
  int64_t max_tokens_;
  const CountTokensFn& count_;
  CutPlaces places_;
};

}  // namespace

std::vector<std::string_view> SplitToFit(std::string_view text, int64_t max_tokens,
                                         const CountTokensFn& count, SentenceSplitter& sentences) {
  const int64_t tokens = count(text);
  if (tokens <= max_tokens) return {text};
  std::vector<std::string_view> parts;
  Splitter(text, max_tokens, count, sentences).Split(0, text.size(), tokens, parts);
  return parts;
}

}  // namespace tome
