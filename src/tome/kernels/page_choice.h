// Which pages of keys new tokens attend, where they do not attend all: sparse attention, by choice.
//
// A page's keys k_1 … k_64 are summed up by two vectors, and what a query q would give the page is
// estimated from them without reading it. The logarithm of the page's mean weight, log mean exp s_i
// with s_i = scale · q · k_i, lies between
//   scale · q · mean                       (Jensen), as mean-pooled keys have it (MoBA, Lu et al.,
//   2025) scale · Σ_c max(q_c min_c, q_c max_c)  the bound of Quest (Tang et al., 2024)
// The former does not see one key among 64 that matters (a needle), the latter takes every page
// whose keys differ for one that has one. The estimate is the middle of the two:
//   score = scale · (q · a + |q| · b),  a = (mean + (min + max) / 2) / 2,  b = (max − min) / 4.
// It is no bound, and the mass computed from it is an estimate as well.
//
// Tokens choose in runs, and the heads of a key head together. Reading, a run is the tokens of one
// block of kChoiceBlockTokens positions, which ask by the means of kChoicePoolTokens queries each;
// with few new tokens each token is a run of its own. One after another, each of
// these queries adds pages by descending score until all taken so far hold `mass` of its estimated
// softmax (not a fixed number, as in Twilight, Lin et al., 2025); the run attends them all. The
// first kSinkPages and the last kRecentPages before the run are always attended (Xiao et al.,
// 2024), as are its own pages, which the estimate leaves out.
//
// Behind kSearchedParts parts a token that is a run of its own looks for its pages in two levels,
// so that it does not read the summaries of all of them. A part of kKvPartPages full pages has a
// summary of the same form, once more the middle of a mean and a bound, of its pages' scores:
//   a = (mean a_page + (U + L) / 2) / 2,  b = (mean b_page + (U − L) / 2) / 2,
//   U = max(a_page + b_page),  L = min(a_page − b_page).
// Each query opens parts by descending score until those opened hold (1 + mass) / 2 of the parts'
// softmax, and takes pages of these until the product of both shares is `mass`. Beside them those
// parts are opened that a question preselected: the ones with pages that its own tokens, or its
// last block, chose.
//
// A choice depends on its run's queries, on what they may see and on what is preselected alone: not
// on the number of threads, nor on what else is in a batch. A token that is a run of its own does
// not depend on how its sequence is cut into passes; one of a block does, unless passes are cut
// where blocks are, and it depends on the tokens behind it in the block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tome/kernels/attention.h"

namespace tome {

struct Compute;

inline constexpr int64_t kChoiceBlockTokens = 128;
inline constexpr int64_t kChoicePoolTokens = 32;
// With at most so many new tokens each one is a run of its own.
inline constexpr int64_t kChoiceSingleTokens = 64;
// Behind fewer full parts two levels save nothing.
inline constexpr int64_t kSearchedParts = 32;
inline constexpr int64_t kSinkPages = 1;
inline constexpr int64_t kRecentPages = 8;

// --- Summaries ---------------------------------------------------------------------------------
// Of the pages of one part (kKvPartTokens), page by page across the lanes of a vector: BF16
// [G][D][a, b][kKvPartPages]. Pages that are not full have none.
constexpr int64_t KeySummaryElement(int64_t head_size, int64_t kv_head, int64_t channel,
                                    int64_t which, int64_t page) {
  return ((kv_head * head_size + channel) * 2 + which) * kKvPartPages + page % kKvPartPages;
}
constexpr int64_t KeySummaryBytes(int64_t kv_heads, int64_t head_size) {
  return kv_heads * head_size * 2 * kKvPartPages * 2;
}

// The summaries of kKvPartPages parts lie likewise, part by part: a group.
inline constexpr int64_t kGroupParts = kKvPartPages;

// Summarizes a part from its pages' summaries, all of them full, in its place in its group.
void SummarizePart(const std::byte* pages, int64_t kv_heads, int64_t head_size, int64_t part,
                   std::byte* group);

// Summarizes pages [page_begin, page_end), which are full.
struct KeySummaryArgs {
  std::span<const std::byte* const> keys;  // pages of the layer, as KvView
  std::span<std::byte* const> summaries;   // one pointer a part
  KvType type = KvType::kF16;
  int64_t kv_heads = 0;
  int64_t head_size = 0;
  int64_t page_begin = 0;
  int64_t page_end = 0;
};

// Scores of pages [0, pages) for queries of one key head; or of parts, from their summaries.
struct PageScoreArgs {
  const float* q = nullptr;                     // [queries, head_size]
  std::span<const std::byte* const> summaries;  // one pointer a part
  float* scores = nullptr;  // [queries, ScoredPages(pages)]; those beyond `pages` mean nothing
  int64_t queries = 0;
  int64_t pages = 0;
  int64_t kv_head = 0;
  int64_t head_size = 0;
  float scale = 1;
  float soft_cap = 0;  // 0: none
};
constexpr int64_t ScoredPages(int64_t pages) {
  return (pages + kKvPartPages - 1) / kKvPartPages * kKvPartPages;
}

// --- Choice ------------------------------------------------------------------------------------

// What sparse attention attended, as the average of everything that was counted. Mass is estimated
// over the pages before a run's own, and is the mean over its queries.
struct AttentionShare {
  double mass_sum = 0;         // of `queries`
  int64_t queries = 0;         // that estimated it
  int64_t attended_pages = 0;  // of tokens and key heads
  int64_t seen_pages = 0;      // that exact attention would have attended
  double alone_pages = 0;      // attended_pages if each head attended those that it chose itself
  int64_t scored_pages = 0;    // of runs and key heads: whose summaries were read
  int64_t scorable_pages = 0;  // before the runs' own
  double mass() const { return queries > 0 ? mass_sum / static_cast<double>(queries) : 1; }
  double density() const {
    return seen_pages > 0 ? static_cast<double>(attended_pages) / static_cast<double>(seen_pages)
                          : 1;
  }
  // What the heads of a key head pay for attending the same pages is the difference to density().
  double density_alone() const {
    return seen_pages > 0 ? alone_pages / static_cast<double>(seen_pages) : 1;
  }
  double scored() const {
    return scorable_pages > 0
               ? static_cast<double>(scored_pages) / static_cast<double>(scorable_pages)
               : 1;
  }
  AttentionShare& operator+=(const AttentionShare& other);
};

struct PageChoiceArgs {
  const float* q = nullptr;                     // [tokens, heads, head_size]
  std::span<const QueryRange> ranges;           // as AttentionSequence has them
  std::span<const std::byte* const> summaries;  // of all full pages before the last token
  // Of all full parts before it, one pointer a group. None: single tokens score every page.
  std::span<const std::byte* const> part_summaries = {};
  // [G] lists of pages whose parts single tokens open in any case; or none.
  std::span<const std::vector<int32_t>> preselected = {};
  int64_t tokens = 0;
  int64_t pass_tokens = 0;  // of the pass that these tokens are a part of; 0: all of it
  int64_t first_position = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_size = 0;
  float scale = 1;
  float soft_cap = 0;
  double mass = 1;  // above 0, at most 1
};

struct PageChoice {
  ChosenPages pages;
  AttentionShare share;
};
PageChoice ChoosePages(const PageChoiceArgs& args, const Compute& compute);

}  // namespace tome
