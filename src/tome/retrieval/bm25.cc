#include "tome/retrieval/bm25.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tome/base/error.h"

namespace tome {
namespace {

// The passages of all ranges, one range after the other. A slot is a position in this sequence.
class PassageSlots {
 public:
  explicit PassageSlots(std::span<const PassageRange> ranges) {
    for (const PassageRange& range : ranges) {
      if (range.last < range.first) continue;
      parts_.push_back({range, size_});
      size_ += static_cast<size_t>(range.last - range.first + 1);
    }
  }

  struct Part {
    PassageRange range;
    size_t first_slot;
  };
  std::span<const Part> parts() const { return parts_; }
  size_t size() const { return size_; }

  PassageId IdOf(size_t slot) const {
    const auto after =
        std::upper_bound(parts_.begin(), parts_.end(), slot,
                         [](size_t s, const Part& part) { return s < part.first_slot; });
    const Part& part = *(after - 1);
    return part.range.first + static_cast<PassageId>(slot - part.first_slot);
  }

 private:
  std::vector<Part> parts_;
  size_t size_ = 0;
};

// Says how long the searched passages are.
struct LengthStatistics {
  double count = 1;  // N; at least 1
  double mean = 1;   // at least 1
};

LengthStatistics StatisticsOf(std::span<const uint16_t> lengths) {
  double total = 0;
  size_t passages = 0;
  for (const uint16_t length : lengths) {
    total += length;
    if (length > 0) ++passages;
  }
  const auto count = static_cast<double>(std::max<size_t>(passages, 1));
  return {.count = count, .mean = std::max(1.0, total / count)};
}

double InverseDocumentFrequency(double count, double holding) {
  return std::log1p((count - std::min(holding, count) + 0.5) / (holding + 0.5));
}

// Returns at most `limit` slots of positive score, the best first.
std::vector<size_t> BestSlots(std::span<const double> scores, size_t limit) {
  std::vector<size_t> best;
  for (size_t slot = 0; slot < scores.size(); ++slot) {
    if (scores[slot] > 0) best.push_back(slot);
  }
  const size_t kept = std::min(limit, best.size());
  const auto better = [&](size_t a, size_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  };
  std::partial_sort(best.begin(), best.begin() + static_cast<ptrdiff_t>(kept), best.end(), better);
  best.resize(kept);
  return best;
}

}  // namespace

LexicalResult RankByBm25(const Bm25Input& input, size_t limit) {
  const PassageSlots slots(input.ranges);
  if (slots.size() == 0 || input.query.empty() || limit == 0) return {};
  TOME_CHECK(input.lengths.size() == slots.size());
  TOME_CHECK(input.postings.size() == input.query.size());
  const LengthStatistics statistics = StatisticsOf(input.lengths);

  LexicalResult result;
  constexpr double kExcluded = -std::numeric_limits<double>::infinity();
  std::vector<double> scores(slots.size(), 0.0);
  for (size_t t = 0; t < input.query.size(); ++t) {
    const QueryTerm& term = input.query[t];
    const std::vector<Posting>& postings = input.postings[t];
    const double idf =
        InverseDocumentFrequency(statistics.count, static_cast<double>(postings.size()));
    result.idf.push_back(idf);
    std::vector<bool> holds(term.required ? slots.size() : 0, false);
    auto part = slots.parts().begin();
    for (const Posting& posting : postings) {
      // Postings and parts ascend.
      while (part != slots.parts().end() && posting.id > part->range.last) ++part;
      TOME_CHECK(part != slots.parts().end() && posting.id >= part->range.first);
      const size_t slot = part->first_slot + static_cast<size_t>(posting.id - part->range.first);
      const double frequency = posting.in_text + kHeadingWeight * posting.in_headings;
      const double norm = 1 - kBm25B + kBm25B * input.lengths[slot] / statistics.mean;
      scores[slot] += term.weight * idf * frequency * (kBm25K1 + 1) / (frequency + kBm25K1 * norm);
      if (term.required) holds[slot] = true;
    }
    for (size_t slot = 0; slot < holds.size(); ++slot) {
      if (!holds[slot]) scores[slot] = kExcluded;
    }
  }
  for (const size_t slot : BestSlots(scores, limit)) {
    result.passages.push_back({.id = slots.IdOf(slot), .score = scores[slot]});
  }
  return result;
}

}  // namespace tome
