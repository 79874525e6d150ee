// Sparse attention, a user's choice: new tokens attend chosen pages of keys instead of all pages.
//
// Two vectors, a and b, summarize a page's keys k_1 … k_64, so that the weight that a query q gives
// to the page can be estimated without reading it. The logarithm of the page's mean weight,
// log mean exp s_i with s_i = scale · q · k_i, lies between two values, where mean, min and max are
// taken over the keys in each channel c:
//
//   scale · q · mean                          lower: Jensen; mean-pooled keys (MoBA, Lu et al.,
//                                             2025)
//   scale · Σ_c max(q_c min_c, q_c max_c)     upper: the bound of Quest (Tang et al., 2024)
//
// The lower value is too low for a page in which only one key among 64 matters (a needle). The
// upper value is high for every page whose keys differ much, with a needle or without. The estimate
// is the middle of the two, where |q| is taken in each channel:
//
//   score = scale · (q · a + |q| · b),   a = (mean + (min + max) / 2) / 2,   b = (max − min) / 4
//
// The estimate is no bound, and the mass computed from it is an estimate as well.
//
// Tokens choose in runs, and the heads of a key head choose together. In a pass of at most
// kChoiceSingleTokens tokens, each token is a run. In a longer pass, a run is the tokens of one
// block of kChoiceBlockTokens positions, and its queries are means over kChoicePoolTokens tokens.
// The queries of a run share one set of pages. One query after another adds pages to it by
// descending score until the set holds `mass` of that query's estimated softmax. So the number of
// pages is not fixed (as in Twilight, Lin et al., 2025). The first kKvSinkPages and the last
// kRecentPages before the run are always in the set (Xiao et al., 2024). The run's own pages are
// always attended too, but they have no score and do not count in the mass.
//
// From kSearchedParts full parts on, a token that is a run of its own searches in two levels, so
// that it does not read the summaries of all pages. A part of kKvPartPages full pages has a summary
// of the same form, again the middle of a mean and a bound of its pages' scores:
//
//   a = (mean a_page + (U + L) / 2) / 2,   U = max(a_page + b_page)
//   b = (mean b_page + (U − L) / 2) / 2,   L = min(a_page − b_page)
//
// Each query opens parts by descending score until the opened parts hold the share (1 + mass) / 2
// of its softmax over parts. It then takes pages of the opened parts until this share, times the
// share that the taken pages have of all pages of the opened parts, is `mass`. Parts with
// preselected pages are opened in any case. While an answer is written, the preselected pages are
// those that the question chose before (Memory::Preselect). Parts with pages that are always
// attended are opened too, and so are parts that cannot be scored (page_search.h).
//
// A choice depends only on its run's queries, on the pages that they may see and on the preselected
// pages, not on the number of threads or the rest of the batch. The choice of a token that is a run
// of its own does not depend on how the sequence is cut into passes. The choice of a block does,
// unless passes are cut where blocks are. It also depends on all tokens of the block, so the
// pages of a token depend on tokens after it.
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
// Fewest full parts before a token for a search in two levels; with fewer, it saves nothing.
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

// Computes the summary of `part` from the summaries of its pages and writes it into its place in
// `group`. All pages of the part must be full.
void SummarizePart(const std::byte* pages, int64_t kv_heads, int64_t head_size, int64_t part,
                   std::byte* group);

// KernelSet::summarize_keys writes the summaries of pages [page_begin, page_end), which must be
// full.
struct KeySummaryArgs {
  std::span<const std::byte* const> keys;  // one pointer a page of the layer, as in KvView
  std::span<std::byte* const> summaries;   // one pointer a part
  KvType type = KvType::kF16;
  int64_t kv_heads = 0;
  int64_t head_size = 0;
  int64_t page_begin = 0;
  int64_t page_end = 0;
};

// KernelSet::score_pages scores pages [0, pages) for the queries of one key head. It scores parts
// in the same way: then `summaries` are those of groups, and `pages` is the number of parts.
struct PageScoreArgs {
  const float* q = nullptr;                     // [queries, head_size]
  std::span<const std::byte* const> summaries;  // one pointer a part (or a group)
  // [queries, ScoredPages(pages)]. In each row, scores from index `pages` on have no meaning.
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
  int64_t attended_pages = 0;  // summed over tokens and key heads
  int64_t seen_pages = 0;      // attended_pages if attention had been exact
  double alone_pages = 0;      // attended_pages if each query head attended only its own choice
  int64_t scored_pages = 0;    // pages whose summaries were read, summed over runs and key heads
  int64_t scorable_pages = 0;  // pages before the run's own, summed over runs and key heads
  double mass() const { return queries > 0 ? mass_sum / static_cast<double>(queries) : 1; }
  double density() const {
    return seen_pages > 0 ? static_cast<double>(attended_pages) / static_cast<double>(seen_pages)
                          : 1;
  }
  // Returns the density if each query head attended only its own choice. The difference
  // to density() is the price of one choice for all query heads of a key head.
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
  // Summaries of all full parts before the last token, one pointer a group. If empty, no search has
  // two levels: every page is scored.
  std::span<const std::byte* const> part_summaries = {};
  // [G] lists of pages. A search in two levels opens the parts of these pages in any case. May be
  // empty.
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
