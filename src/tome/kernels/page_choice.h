// Sparse attention, a user's choice: new tokens attend chosen pages of keys instead of all pages.
//
// Two vectors summarize a page's keys k_1 … k_64, so that the weight that a query q gives to the
// page can be estimated without reading it. The logarithm of the page's mean weight,
// log mean exp s_i with s_i = scale · q · k_i, lies between two values:
//
//   scale · q · mean                          lower: Jensen; mean-pooled keys (MoBA, Lu et al.,
//                                             2025)
//   scale · Σ_c max(q_c min_c, q_c max_c)     upper: the bound of Quest (Tang et al., 2024)
//
// The lower value misses one key among 64 that matters (a needle). The upper value takes every page
// whose keys differ for a page with such a key. The estimate is the middle of the two:
//
//   score = scale · (q · a + |q| · b),   a = (mean + (min + max) / 2) / 2,   b = (max − min) / 4
//
// The estimate is no bound, and the mass computed from it is an estimate as well.
//
// Tokens choose in runs, and the heads of a key head choose together. In a pass of at most
// kChoiceSingleTokens tokens, each token is a run. In a longer pass, a run is the tokens of one
// block of kChoiceBlockTokens positions, and its queries are means over kChoicePoolTokens tokens.
// One query after another adds pages by descending score until all pages taken so far hold `mass`
// of its estimated softmax, and the run attends them all. So their number is not fixed (as in
// Twilight, Lin et al., 2025). The first kKvSinkPages and the last kRecentPages before the run are
// always attended (Xiao et al., 2024). So are the run's own pages, which the estimate leaves out.
//
// From kSearchedParts full parts on, a token that is a run of its own searches in two levels, so
// that it does not read the summaries of all pages. A part of kKvPartPages full pages has a summary
// of the same form, again the middle of a mean and a bound of its pages' scores:
//
//   a = (mean a_page + (U + L) / 2) / 2,   U = max(a_page + b_page)
//   b = (mean b_page + (U − L) / 2) / 2,   L = min(a_page − b_page)
//
// Each query opens parts by descending score until the opened parts hold (1 + mass) / 2 of the
// parts' softmax. It then takes pages of opened parts until the product of both shares is `mass`.
// Preselected parts are opened in any case: they have pages that a question's tokens, or its last
// block, chose.
//
// A choice depends only on its run's queries, on the pages that they may see and on the preselected
// pages, not on the number of threads or the rest of the batch. A token that is a run of its own
// does not depend on how its sequence is cut into passes. A token of a block does, unless passes
// are cut where blocks are, and it depends on the later tokens of its block.
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
// In a pass of at most this many new tokens, each token is a run of its own.
inline constexpr int64_t kChoiceSingleTokens = 64;
// With fewer full parts before a token, two levels save nothing.
inline constexpr int64_t kSearchedParts = 32;
inline constexpr int64_t kRecentPages = 8;

// --- Summaries ---------------------------------------------------------------------------------
// The summaries of the pages of one part (kKvPartTokens) lie together as BF16
// [G][D][a, b][kKvPartPages], so that the lanes of a vector are pages. Only full pages have a
// summary.

// Returns the index of one element; `which` is 0 for a and 1 for b.
constexpr int64_t KeySummaryElement(int64_t head_size, int64_t kv_head, int64_t channel,
                                    int64_t which, int64_t page) {
  return ((kv_head * head_size + channel) * 2 + which) * kKvPartPages + page % kKvPartPages;
}
constexpr int64_t KeySummaryBytes(int64_t kv_heads, int64_t head_size) {
  return kv_heads * head_size * 2 * kKvPartPages * 2;
}

// The summaries of a group of kKvPartPages parts lie in the same layout, with parts for pages.
inline constexpr int64_t kGroupParts = kKvPartPages;

// Writes the summary of `part`, computed from the summaries of its pages, which are all full, into
// its place in `group`.
void SummarizePart(const std::byte* pages, int64_t kv_heads, int64_t head_size, int64_t part,
                   std::byte* group);

// Summarizes pages [page_begin, page_end), which are full.
struct KeySummaryArgs {
  std::span<const std::byte* const> keys;  // one pointer a page of the layer, as in KvView
  std::span<std::byte* const> summaries;   // one pointer a part
  KvType type = KvType::kF16;
  int64_t kv_heads = 0;
  int64_t head_size = 0;
  int64_t page_begin = 0;
  int64_t page_end = 0;
};

// Scores pages [0, pages) for queries of one key head, or parts from the summaries of groups.
struct PageScoreArgs {
  const float* q = nullptr;                     // [queries, head_size]
  std::span<const std::byte* const> summaries;  // one pointer a part (or a group)
  // [queries, ScoredPages(pages)]. Scores from `pages` on have no meaning.
  float* scores = nullptr;
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

// The share of the pages and of the mass that sparse attention attended. The functions return
// averages over everything that was counted. Mass is estimated over the pages before a run's own.
struct AttentionShare {
  double mass_sum = 0;         // estimated mass, summed over `queries`
  int64_t queries = 0;         // queries that estimated the mass
  int64_t attended_pages = 0;  // over tokens and key heads
  int64_t seen_pages = 0;      // pages that exact attention would have attended
  double alone_pages = 0;      // attended_pages if each query head attended only its own choice
  int64_t scored_pages = 0;    // over runs and key heads: pages whose summaries were read
  int64_t scorable_pages = 0;  // over runs and key heads: pages before the run's own
  double mass() const { return queries > 0 ? mass_sum / static_cast<double>(queries) : 1; }
  double density() const {
    return seen_pages > 0 ? static_cast<double>(attended_pages) / static_cast<double>(seen_pages)
                          : 1;
  }
  // The difference to density() is the price of attending the same pages with all heads of a key
  // head.
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
  std::span<const QueryRange> ranges;           // as in AttentionSequence
  std::span<const std::byte* const> summaries;  // of all full pages before the last token
  // Summaries of all full parts before the last token, one pointer a group. If empty, single tokens
  // score every page.
  std::span<const std::byte* const> part_summaries = {};
  // [G] lists of pages. Single tokens open the parts of these pages in any case. May be empty.
  std::span<const std::vector<int32_t>> preselected = {};
  int64_t tokens = 0;
  int64_t pass_tokens = 0;  // tokens of the whole pass; 0: `tokens`
  int64_t first_position = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_size = 0;
  float scale = 1;
  float soft_cap = 0;
  double mass = 1;  // above 0 and at most 1
};

struct PageChoice {
  ChosenPages pages;
  AttentionShare share;
};
// Chooses the pages that `tokens` new tokens of one sequence attend.
PageChoice ChoosePages(const PageChoiceArgs& args, const Compute& compute);

}  // namespace tome
