#include "tome/kernels/page_search.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "tome/kernels/mass_bins.h"

namespace tome {
namespace {

// Returns the queries that choose for a run and the heads of one key head: means over pools of
// tokens.
std::vector<float> PooledQueries(const PageChoiceArgs& args, const float* queries,
                                 const ChoiceRun& run, int64_t kv_head) {
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

// Scores pages and parts for the queries of a run and one key head.
class PageScorer {
 public:
  PageScorer(const PageChoiceArgs& args, const ChoiceRun& run, int64_t kv_head,
             const KernelSet& kernels)
      : args_(args), run_(run), kv_head_(kv_head), kernels_(kernels) {
    const AttentionSequence asked{.q = args.q, .kv = {}, .ranges = args.ranges};
    for (int64_t begin = 0; begin < run.first_page; begin = ranges_.back().end) {
      const QueriesOfPage asking = QueriesFor(asked, begin);
      ranges_.push_back({.begin = begin,
                         .end = std::min(asking.end, run.first_page),
                         .q = PooledQueries(args, asking.q, run, kv_head)});
    }
  }

  int64_t queries() const {
    return static_cast<int64_t>(ranges_.front().q.size()) / args_.head_size;
  }

  // Returns the scores of the pages of `parts`, [queries][parts · kKvPartPages]. Scores of pages
  // that are not before the run's own have no meaning.
  std::vector<float> Pages(std::span<const int32_t> parts) const {
    std::vector<float> all;
    const int64_t stride = static_cast<int64_t>(parts.size()) * kKvPartPages;
    for (const Range& range : ranges_) {
      const auto first = std::lower_bound(parts.begin(), parts.end(), range.begin / kKvPartPages);
      const auto last =
          std::lower_bound(first, parts.end(), (range.end + kKvPartPages - 1) / kKvPartPages);
      std::vector<const std::byte*> summaries;
      for (auto part = first; part != last; ++part) {
        summaries.push_back(args_.summaries[static_cast<size_t>(*part)]);
      }
      std::vector<float> scores =
          Scores(range, summaries, static_cast<int64_t>(summaries.size()) * kKvPartPages);
      if (ranges_.size() == 1) return scores;
      all.resize(static_cast<size_t>(queries() * stride));
      for (auto part = first; part != last; ++part) {
        for (int64_t i = 0; i < kKvPartPages; ++i) {
          const int64_t page = int64_t{*part} * kKvPartPages + i;
          if (page < range.begin || page >= range.end) continue;
          for (int64_t query = 0; query < queries(); ++query) {
            all[static_cast<size_t>(query * stride + (part - parts.begin()) * kKvPartPages + i)] =
                scores[static_cast<size_t>((query * (last - first) + part - first) * kKvPartPages +
                                           i)];
          }
        }
      }
    }
    return all;
  }

  // Returns the scores of parts [0, parts), which are full, as [queries][parts]. The score is −∞
  // where queries differ within a part.
  std::vector<float> Parts(int64_t parts) const {
    std::vector<float> all(static_cast<size_t>(queries() * parts),
                           -std::numeric_limits<float>::infinity());
    for (const Range& range : ranges_) {
      const int64_t first = (range.begin + kKvPartPages - 1) / kKvPartPages;
      const int64_t last = std::min(parts, range.end / kKvPartPages);
      if (first >= last) continue;
      const std::vector<float> scores = Scores(range, args_.part_summaries, last);
      for (int64_t query = 0; query < queries(); ++query) {
        const auto row = scores.begin() + query * ScoredPages(last);
        std::copy(row + first, row + last, all.begin() + query * parts + first);
      }
    }
    return all;
  }
  // Returns whether the same queries are used for all pages of a part.
  bool AsksAlike(int64_t part) const {
    for (const Range& range : ranges_) {
      if (range.end < run_.first_page && range.end > part * kKvPartPages &&
          range.end < (part + 1) * kKvPartPages) {
        return false;
      }
    }
    return true;
  }

 private:
  // Pages [begin, end) for which the same queries are used.
  struct Range {
    int64_t begin = 0;
    int64_t end = 0;
    std::vector<float> q;
  };

  std::vector<float> Scores(const Range& range, std::span<const std::byte* const> summaries,
                            int64_t pages) const {
    std::vector<float> scores(static_cast<size_t>(queries() * ScoredPages(pages)));
    kernels_.score_pages({.q = range.q.data(),
                          .summaries = summaries,
                          .scores = scores.data(),
                          .queries = queries(),
                          .pages = pages,
                          .kv_head = kv_head_,
                          .head_size = args_.head_size,
                          .scale = args_.scale,
                          .soft_cap = args_.soft_cap});
    return scores;
  }

  const PageChoiceArgs& args_;
  const ChoiceRun& run_;
  int64_t kv_head_;
  const KernelSet& kernels_;
  std::vector<Range> ranges_;
};

std::vector<int32_t> Numbers(int64_t count) {
  std::vector<int32_t> numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

int64_t PartsBefore(const ChoiceRun& run) {
  return (run.first_page + kKvPartPages - 1) / kKvPartPages;
}

// Returns the pages of `parts` that lie before the run's own, with their scores.
PageCandidates PagesOf(std::span<const int32_t> parts, const ChoiceRun& run,
                       const PageScorer& scorer) {
  PageCandidates found;
  found.queries = scorer.queries();
  found.shares.resize(static_cast<size_t>(found.queries), 1.0);
  const auto end_of = [&](int32_t part) {
    return std::min((int64_t{part} + 1) * kKvPartPages, run.first_page);
  };
  for (const int32_t part : parts) {
    for (int64_t page = part * kKvPartPages; page < end_of(part); ++page) {
      found.pages.push_back(static_cast<int32_t>(page));
    }
  }
  found.scored_pages = static_cast<int64_t>(found.pages.size());
  const std::vector<float> scores = scorer.Pages(parts);
  found.scores.reserve(static_cast<size_t>(found.queries) * found.pages.size());
  auto row = scores.begin();
  for (int64_t query = 0; query < found.queries; ++query) {
    for (const int32_t part : parts) {
      found.scores.insert(found.scores.end(), row, row + end_of(part) - part * kKvPartPages);
      row += kKvPartPages;
    }
  }
  return found;
}

}  // namespace

PageCandidates AllPages(const PageChoiceArgs& args, const ChoiceRun& run, int64_t kv_head,
                        const KernelSet& kernels) {
  return PagesOf(Numbers(PartsBefore(run)), run, PageScorer(args, run, kv_head, kernels));
}

PageCandidates SearchParts(const PageChoiceArgs& args, const ChoiceRun& run, int64_t kv_head,
                           const KernelSet& kernels) {
  const PageScorer scorer(args, run, kv_head, kernels);
  const int64_t parts = PartsBefore(run);
  const int64_t whole = run.first_page / kKvPartPages;
  std::vector<uint8_t> opened(static_cast<size_t>(parts));
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t last = std::min((part + 1) * kKvPartPages, run.first_page) - 1;
    opened[static_cast<size_t>(part)] =
        static_cast<uint8_t>(part >= whole || run.Keeps(part * kKvPartPages) || run.Keeps(last) ||
                             !scorer.AsksAlike(part));
  }
  if (!args.preselected.empty()) {
    for (const int32_t page : args.preselected[static_cast<size_t>(kv_head)]) {
      if (page < run.first_page) opened[static_cast<size_t>(page / kKvPartPages)] = 1;
    }
  }
  // About half of the mass that may be left out is left out here, and the rest by the choice among
  // the pages of opened parts.
  const std::vector<float> scores = scorer.Parts(whole);
  const auto opened_whole = std::span(opened).first(static_cast<size_t>(whole));
  std::vector<MassBins> bins;
  for (int64_t query = 0; query < scorer.queries(); ++query) {
    bins.emplace_back(
        std::span(scores).subspan(static_cast<size_t>(query * whole), static_cast<size_t>(whole)));
    bins.back().Take((1 + args.mass) / 2, opened_whole);
  }
  std::vector<int32_t> chosen;
  for (int64_t part = 0; part < parts; ++part) {
    if (opened[static_cast<size_t>(part)] != 0) chosen.push_back(static_cast<int32_t>(part));
  }
  PageCandidates found = PagesOf(chosen, run, scorer);
  for (size_t query = 0; query < bins.size(); ++query) {
    found.shares[query] = bins[query].MassOf(opened_whole);
  }
  return found;
}

}  // namespace tome
