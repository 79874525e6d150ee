#include "tome/kernels/page_choice.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "tome/kernels/kernel_set.h"

namespace tome {
namespace {

// Pages are sorted by score only as finely as this: into bins below the largest score. What lies
// below the last bin weighs less than 1e-13 of the largest.
constexpr int kBins = 512;
constexpr double kBinsPerNat = 16;

// exp of what the upper edge of a bin lies below the largest score.
const std::array<double, kBins + 1>& BinWeights() {
  static const std::array<double, kBins + 1> kWeights = [] {
    std::array<double, kBins + 1> weights{};
    for (int i = 0; i <= kBins; ++i) {
      weights[static_cast<size_t>(i)] = std::exp(-static_cast<double>(i) / kBinsPerNat);
    }
    return weights;
  }();
  return kWeights;
}

struct Run {
  int64_t token_begin = 0;
  int64_t token_end = 0;
  int64_t first_page = 0;  // of its own
  int64_t last_page = 0;
};

std::vector<Run> RunsOf(const PageChoiceArgs& args, int64_t run_tokens) {
  std::vector<Run> runs;
  for (int64_t begin = 0; begin < args.tokens;) {
    const int64_t position = args.first_position + begin;
    const int64_t end = std::min(args.tokens, begin + run_tokens - position % run_tokens);
    runs.push_back({.token_begin = begin,
                    .token_end = end,
                    .first_page = position / kKvPageTokens,
                    .last_page = (args.first_position + end - 1) / kKvPageTokens});
    begin = end;
  }
  return runs;
}

// The queries that choose for a run and the heads of one key head: means over pools of tokens.
std::vector<float> PooledQueries(const PageChoiceArgs& args, const float* queries, const Run& run,
                                 int64_t kv_head) {
  const int64_t group = args.heads / args.kv_heads;
  std::vector<float> pooled;
  for (int64_t begin = run.token_begin; begin < run.token_end; begin += kChoicePoolTokens) {
    const int64_t end = std::min(run.token_end, begin + kChoicePoolTokens);
    for (int64_t h = kv_head * group; h < (kv_head + 1) * group; ++h) {
      const size_t at = pooled.size();
      pooled.resize(at + static_cast<size_t>(args.head_size));
      float* const sum = pooled.data() + at;
      for (int64_t t = begin; t < end; ++t) {
        const float* const q = queries + (t * args.heads + h) * args.head_size;
        for (int64_t c = 0; c < args.head_size; ++c) sum[c] += q[c];
      }
      const float share = 1.0F / static_cast<float>(end - begin);
      for (int64_t c = 0; c < args.head_size; ++c) sum[c] *= share;
    }
  }
  return pooled;
}

bool IsKept(const Run& run, int64_t page) {
  return page < kSinkPages || page >= run.first_page - kRecentPages;
}

// The pages before a run's own in bins, by the scores of one query.
class Binned {
 public:
  Binned(const Run& run, const float* scores) : run_(run) {
    bins_.resize(static_cast<size_t>(run.first_page));
    float largest = std::numeric_limits<float>::lowest();
    for (int64_t page = 0; page < run.first_page; ++page) {
      largest = std::max(largest, scores[page]);
    }
    for (int64_t page = 0; page < run.first_page; ++page) {
      const float below = (largest - scores[page]) * static_cast<float>(kBinsPerNat);
      // Whatever is no number is attended, so that it shows.
      const int bin = below < static_cast<float>(kBins - 1)    ? static_cast<int>(below)
                      : below >= static_cast<float>(kBins - 1) ? kBins - 1
                                                               : 0;
      bins_[static_cast<size_t>(page)] = static_cast<uint16_t>(bin);
      ++(IsKept(run, page) ? kept_ : others_)[static_cast<size_t>(bin)];
    }
  }

  // The last bin to attend for the mass to be reached, taking every page attended for the lightest
  // of its bin and every other for the heaviest; −1: what is kept anyway is enough.
  int LastBin(double mass) const {
    const auto& weights = BinWeights();
    double inside = 0;
    double outside = 0;
    for (size_t bin = 0; bin < kBins; ++bin) {
      inside += kept_[bin] * weights[bin + 1];
      outside += others_[bin] * weights[bin];
    }
    for (int bin = -1; bin < kBins - 1; ++bin) {
      if (inside >= mass * (inside + outside)) return bin;
      const auto next = static_cast<size_t>(bin + 1);
      inside += others_[next] * weights[next + 1];
      outside -= others_[next] * weights[next];
    }
    return kBins - 1;
  }

  void Mark(int last_bin, std::vector<uint8_t>& chosen) const {
    for (size_t page = 0; page < bins_.size(); ++page) {
      chosen[page] |= static_cast<uint8_t>(bins_[page] <= last_bin);
    }
  }

  double MassOf(const std::vector<uint8_t>& chosen) const {
    std::array<int32_t, kBins> inside{};
    for (size_t page = 0; page < bins_.size(); ++page) inside[bins_[page]] += chosen[page];
    const auto& weights = BinWeights();
    double some = 0;
    double all = 0;
    for (size_t bin = 0; bin < kBins; ++bin) {
      some += inside[bin] * weights[bin];
      all += (kept_[bin] + others_[bin]) * weights[bin];
    }
    return some / all;
  }

 private:
  const Run& run_;
  std::vector<uint16_t> bins_;
  std::array<int32_t, kBins> kept_{};    // pages that are attended whatever their score
  std::array<int32_t, kBins> others_{};  // pages that may be left out
};

// Of the pages before a run's own: for each query that chooses, [ScoredPages(run.first_page)].
std::vector<float> ScoresOf(const PageChoiceArgs& args, const Run& run, int64_t kv_head,
                            const KernelSet& kernels) {
  const AttentionSequence asked{.q = args.q, .kv = {}, .ranges = args.ranges};
  const int64_t stride = ScoredPages(run.first_page);
  std::vector<float> all;
  for (int64_t begin = 0, end = 0; begin < run.first_page; begin = end) {
    const QueriesOfPage asking = QueriesFor(asked, begin);
    end = std::min(asking.end, run.first_page);
    const std::vector<float> q = PooledQueries(args, asking.q, run, kv_head);
    const int64_t queries = static_cast<int64_t>(q.size()) / args.head_size;
    const int64_t scored = ScoredPages(end);
    std::vector<float> scores(static_cast<size_t>(queries * scored));
    kernels.score_pages({.q = q.data(),
                         .summaries = args.summaries,
                         .scores = scores.data(),
                         .queries = queries,
                         .pages = end,
                         .kv_head = kv_head,
                         .head_size = args.head_size,
                         .scale = args.scale,
                         .soft_cap = args.soft_cap});
    if (begin == 0 && end == run.first_page) return scores;
    all.resize(static_cast<size_t>(queries * stride));
    for (int64_t i = 0; i < queries; ++i) {
      std::copy(scores.begin() + i * scored + begin, scores.begin() + i * scored + end,
                all.begin() + i * stride + begin);
    }
  }
  return all;
}

struct ListChoice {
  std::vector<int32_t> pages;
  AttentionShare share;
};

ListChoice Choose(const PageChoiceArgs& args, const Run& run, int64_t kv_head,
                  const KernelSet& kernels) {
  std::vector<uint8_t> chosen(static_cast<size_t>(run.last_page + 1));
  for (int64_t page = 0; page <= run.last_page; ++page) {
    chosen[static_cast<size_t>(page)] = IsKept(run, page) ? 1 : 0;
  }
  ListChoice choice;
  if (run.first_page > kSinkPages + kRecentPages) {
    const std::vector<float> scores = ScoresOf(args, run, kv_head, kernels);
    const int64_t stride = ScoredPages(run.first_page);
    const int64_t queries = static_cast<int64_t>(scores.size()) / stride;
    std::vector<Binned> binned;
    binned.reserve(static_cast<size_t>(queries));
    for (int64_t i = 0; i < queries; ++i) {
      binned.emplace_back(run, scores.data() + i * stride);
      binned.back().Mark(binned.back().LastBin(args.mass), chosen);
    }
    for (const Binned& each : binned) choice.share.mass_sum += each.MassOf(chosen);
    choice.share.queries = queries;
  }
  for (int64_t page = 0; page <= run.last_page; ++page) {
    if (chosen[static_cast<size_t>(page)] != 0) {
      choice.pages.push_back(static_cast<int32_t>(page));
    }
  }
  const int64_t tokens = run.token_end - run.token_begin;
  choice.share.attended_pages = tokens * static_cast<int64_t>(choice.pages.size());
  choice.share.seen_pages = tokens * (run.last_page + 1);
  return choice;
}

}  // namespace

AttentionShare& AttentionShare::operator+=(const AttentionShare& other) {
  mass_sum += other.mass_sum;
  queries += other.queries;
  attended_pages += other.attended_pages;
  seen_pages += other.seen_pages;
  return *this;
}

PageChoice ChoosePages(const PageChoiceArgs& args, const Compute& compute) {
  const int64_t pass_tokens = std::max(args.tokens, args.pass_tokens);
  const int64_t run_tokens = pass_tokens <= kChoiceSingleTokens ? 1 : kChoiceBlockTokens;
  const std::vector<Run> runs = RunsOf(args, run_tokens);
  std::vector<ListChoice> lists(runs.size() * static_cast<size_t>(args.kv_heads));
  compute.threads.ParallelFor(static_cast<int64_t>(lists.size()), [&](int64_t task, int) {
    lists[static_cast<size_t>(task)] = Choose(args, runs[static_cast<size_t>(task / args.kv_heads)],
                                              task % args.kv_heads, compute.kernels);
  });
  PageChoice choice;
  choice.pages.first_position = args.first_position;
  choice.pages.run_tokens = run_tokens;
  choice.pages.lists.reserve(lists.size());
  for (ListChoice& list : lists) {
    choice.pages.lists.push_back(std::move(list.pages));
    choice.share += list.share;
  }
  return choice;
}

}  // namespace tome
