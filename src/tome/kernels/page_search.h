// The search for the pages that one run of tokens and one key head attend (page_choice.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tome/kernels/kernel_set.h"
#include "tome/kernels/page_choice.h"

namespace tome {

// Tokens that choose together: those of a block, or a single one.
struct ChoiceRun {
  int64_t token_begin = 0;
  int64_t token_end = 0;
  int64_t first_page = 0;  // of its own
  int64_t last_page = 0;
  bool single = false;  // of a pass whose tokens choose one by one

  // Whether a page before its own is attended whatever its score.
  bool Keeps(int64_t page) const { return page < kSinkPages || page >= first_page - kRecentPages; }
};

// Pages before a run's own that may be chosen, and their scores.
struct PageCandidates {
  std::vector<int32_t> pages;  // ascending; all that the run keeps are among them
  int64_t queries = 0;         // that choose: pool by pool, in each the heads of the key head
  std::vector<float> scores;   // [queries, pages]
  std::vector<double> shares;  // [queries] of the mass that all these pages hold, by the estimate
  int64_t scored_pages = 0;

  std::span<const float> ScoresOf(int64_t query) const {
    return std::span(scores).subspan(static_cast<size_t>(query) * pages.size(), pages.size());
  }
};

// All pages before the run's own.
PageCandidates AllPages(const PageChoiceArgs& args, const ChoiceRun& run, int64_t kv_head,
                        const KernelSet& kernels);

// Those of the parts that hold most, or where the run keeps pages, or that were preselected.
PageCandidates SearchParts(const PageChoiceArgs& args, const ChoiceRun& run, int64_t kv_head,
                           const KernelSet& kernels);

}  // namespace tome
