#include "tome/generate/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_set>

#include "tome/base/error.h"

namespace tome {
namespace {

void Check(bool holds, std::string_view option, double value, std::string_view range) {
  if (holds) return;
  throw Error(Code::kInvalidArgument, fmt::format("{} is {}; it must be {}", option, value, range));
}

void Penalize(std::span<float> scores, std::span<const TokenId> recent, double penalty) {
  const std::unordered_set<TokenId> distinct(recent.begin(), recent.end());
  for (const TokenId token : distinct) {
    if (token < 0 || static_cast<size_t>(token) >= scores.size()) continue;
    float& score = scores[static_cast<size_t>(token)];
    score = static_cast<float>(score > 0 ? score / penalty : score * penalty);
  }
}

Error NoNumbers() {
  return {Code::kCorrupt, "the model's logits are not numbers; its weights are damaged"};
}

// Returns the first of the largest finite scores. It takes two passes without branches, which
// compilers turn into vectors: vocabularies have a hundred thousand entries and more.
TokenId Likeliest(std::span<const float> scores) {
  constexpr float kMost = std::numeric_limits<float>::max();
  float largest = -std::numeric_limits<float>::infinity();
  for (const float score : scores) {
    const float finite = std::abs(score) <= kMost ? score : largest;
    largest = finite > largest ? finite : largest;
  }
  const auto found = std::find(scores.begin(), scores.end(), largest);
  if (found == scores.end() || !std::isfinite(largest)) throw NoNumbers();
  return static_cast<TokenId>(found - scores.begin());
}

}  // namespace

void CheckSamplingOptions(const SamplingOptions& options) {
  Check(options.temperature >= 0 && options.temperature <= 100, "the temperature",
        options.temperature, "from 0 to 100");
  Check(options.top_k >= 0, "top-k", static_cast<double>(options.top_k), "0 (all) or more");
  Check(options.top_p > 0 && options.top_p <= 1, "top-p", options.top_p, "above 0, at most 1");
  Check(options.min_p >= 0 && options.min_p <= 1, "min-p", options.min_p, "from 0 to 1");
  Check(options.repetition_penalty > 0 && options.repetition_penalty <= 100,
        "the repetition penalty", options.repetition_penalty, "above 0, at most 100");
  Check(options.repetition_window >= 0, "the repetition window",
        static_cast<double>(options.repetition_window), "0 or more");
}

Sampler::Sampler(const SamplingOptions& options) : options_(options), state_(options.seed) {
  CheckSamplingOptions(options);
}

double Sampler::Uniform() {
  // SplitMix64 (Steele, Lea and Flood, 2014).
  state_ += 0x9E3779B97F4A7C15ULL;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1.0p-53;
}

TokenId Sampler::Next(std::span<const float> logits, int64_t usable,
                      std::span<const TokenId> history, const TokenSet* allowed) {
  const size_t size = std::min(logits.size(), static_cast<size_t>(usable));
  scores_.assign(logits.begin(), logits.begin() + static_cast<int64_t>(size));
  if (allowed != nullptr) allowed->KeepOnly(scores_);
  if (options_.repetition_penalty != 1) {
    const size_t window = std::min(history.size(), static_cast<size_t>(options_.repetition_window));
    Penalize(scores_, history.last(window), options_.repetition_penalty);
  }
  // NaN and infinities would break the order below; they are never chosen.
  if (options_.greedy()) return Likeliest(scores_);
  candidates_.clear();
  for (size_t i = 0; i < size; ++i) {
    if (std::isfinite(scores_[i])) candidates_.push_back(static_cast<TokenId>(i));
  }
  if (candidates_.empty()) throw NoNumbers();
  const auto better = [&](TokenId a, TokenId b) {
    const float x = scores_[static_cast<size_t>(a)];
    const float y = scores_[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  };
  const size_t k = options_.top_k > 0
                       ? std::min(candidates_.size(), static_cast<size_t>(options_.top_k))
                       : candidates_.size();
  std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<int64_t>(k),
                    candidates_.end(), better);
  candidates_.resize(k);
  std::vector<double> weights(k);
  const double largest = double{scores_[static_cast<size_t>(candidates_.front())]};
  for (size_t i = 0; i < k; ++i) {
    const double score = double{scores_[static_cast<size_t>(candidates_[i])]};
    weights[i] = std::exp((score - largest) / options_.temperature);
  }
  double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  // Candidates are in order of weight, so both cuts keep a prefix.
  size_t kept = 0;
  double mass = 0;
  while (kept < k &&
         (kept == 0 || (mass < options_.top_p * total && weights[kept] >= options_.min_p))) {
    mass += weights[kept++];
  }
  double draw = Uniform() * mass;
  for (size_t i = 0; i + 1 < kept; ++i) {
    draw -= weights[i];
    if (draw < 0) return candidates_[i];
  }
  return candidates_[kept - 1];
}

}  // namespace tome
