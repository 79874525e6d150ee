// The search for the pages that one run of tokens and one key head may attend (page_choice.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tome/kernels/kernel_set.h"
#include "tome/kernels/page_choice.h"

namespace tome {

// Tokens that choose together: the tokens of a block, or a single one.
struct ChoiceRun {
  int64_t token_begin = 0;
  int64_t token_end = 0;
  int64_t first_page = 0;  // first page with tokens of the run
  int64_t last_page = 0;   // last page with tokens of the run
  bool single = false;     // the tokens of its pass choose one by one

  // Returns whether a page before the run's own is attended whatever its score.
  bool Keeps(int64_t page) const {
    return page < kKvSinkPages || page >= first_page - kRecentPages;
  }
};

// Pages before a run's own that may be chosen, and their scores.
struct PageCandidates {
  std::vector<int32_t> pages;  // ascending; includes all pages that the run keeps
  int64_t queries = 0;         // queries that choose, ordered by pool of tokens, then by head
  std::vector<float> scores;   // [queries, pages]
  std::vector<double> shares;  // [queries], estimated share of the mass that `pages` hold
  int64_t scored_pages = 0;    // pages whose summaries were read

  std::span<const float> ScoresOf(int64_t query) const {
    return std::span(scores).subspan(static_cast<size_t>(query) * pages.size(), pages.size());
  }
};

// Returns all pages before the run's own.
PageCandidates AllPages(const PageChoiceArgs& args, const ChoiceRun& run, int64_t kv_head,
                        const KernelSet& kernels);

// Returns the pages of some parts: those with the largest estimated mass, preselected parts, parts
// in which the run keeps pages, and parts without an estimate (not full before the run, or with
// different queries within).
PageCandidates SearchParts(const PageChoiceArgs& args, const ChoiceRun& run, int64_t kv_head,
                           const KernelSet& kernels);

}  // namespace tome
