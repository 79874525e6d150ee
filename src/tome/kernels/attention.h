// Causal attention of new tokens over cached keys and values.
//
//   out[t, h] = Σ_s softmax_s( cap(scale · q[t, h] · k[s, g]) ) · v[s, g],   g = h / (H / G)
//
// p is the position of token t. s runs from max(0, p − window + 1) to p or, without a window, from
// 0 to p. With a soft cap c (Gemma 2), cap(x) = c · tanh(x / c); without one, cap(x) = x.
//
// Softmax is computed online, page by page (Milakov and Gimelshein, 2018; Dao et al., 2022), so no
// row of scores is stored. In the fast sets, weights are relative to a score near the largest. This
// score moves only where a page goes far beyond it, so sums are rarely rescaled (FlashAttention-4).
// The fast sets cut positions into parts of kKvPartTokens, start each part's softmax afresh, and
// merge the parts in order ("split KV", as in Flash-Decoding). So parts computed in parallel give
// the same bits as parts computed in turn. The bits depend on p and the window alone, not on the
// number of threads or of tokens, nor on the rest of the batch.
//
// With F32 pages all arithmetic is float. With every other type, sets that have BF16 dot products
// round queries (times scale / ln 2), keys, values and softmax weights to BF16, take magnitudes
// below 2^-126 as zero, and sum in float.
//
// A NaN or an infinity in a query reaches only that query's result. One in a key reaches only the
// results of tokens that see the key. Values must be finite, up to 1e32: an attention weight of 0
// does not hide an infinite value in the same page, nor one in a page that another query of the
// batch sees.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace tome {

// Element type of cached keys and values. Two types have a scale d in F16 for every kKvScaleDims
// channels of a token's head:
//   kQ8   8 bits, x = d · n, |n| <= 127
//   kQ4   4 bits, x = d · (n − 8)
enum class KvType : uint8_t { kF32, kF16, kBF16, kQ8, kQ4 };
inline constexpr std::array kKvTypes{KvType::kF32, KvType::kF16, KvType::kBF16, KvType::kQ8,
                                     KvType::kQ4};
std::string_view NameOf(KvType type);  // "f32", "f16", "bf16", "q8", "q4"
std::optional<KvType> KvTypeFromName(std::string_view name);

// Tokens of one page, a power of two. A page is also the block of the online softmax.
inline constexpr int64_t kKvPageTokens = 64;
// Tokens of one part, which is whole pages.
inline constexpr int64_t kKvPartTokens = 1024;
inline constexpr int64_t kKvPartPages = kKvPartTokens / kKvPageTokens;
// Channels that share a scale in kQ8 and kQ4.
inline constexpr int64_t kKvScaleDims = 32;
// Largest head size; kernels keep heads on their stack.
inline constexpr int64_t kMaxHeadSize = 512;

// --- Layout of pages ---------------------------------------------------------------------------
// The layout is the same for every kernel set, so that a stored page can be read on any machine. A
// page of keys, or of values, holds kKvPageTokens tokens of G heads, one slice a head. The elements
// of a slice are ordered so that dot products of adjacent pairs need no shuffling:
//
//            every type but kF32                kF32
//   keys     [D' / 2][64 tokens][2 channels]    [D'][64 tokens]
//   values   [64 / 2][D'][2 tokens]             [64 tokens][D']
//
// D' is D rounded up to a multiple of 2; the padding is zero. Element i of a slice is at byte 4 i
// (kF32), 2 i (kF16, kBF16) or i (kQ8). kQ4 packs runs of 64 elements into 32 bytes: byte j of a
// run has element j in its low half and element j + 32 in its high half. In kQ8 and kQ4, the scales
// follow the elements, as F16 [⌈D / 32⌉][64 tokens].

enum class KvSide { kKeys, kValues };

// Channels of a head with padding: D'.
constexpr int64_t KvPaddedHead(int64_t head_size) { return (head_size + 1) / 2 * 2; }
// KeyElement and ValueElement return the index of an element within its head's slice.
constexpr int64_t KeyElement(KvType type, int64_t slot, int64_t channel) {
  if (type == KvType::kF32) return channel * kKvPageTokens + slot;
  return (channel / 2 * kKvPageTokens + slot) * 2 + channel % 2;
}
constexpr int64_t ValueElement(KvType type, int64_t head_size, int64_t slot, int64_t channel) {
  const int64_t padded = KvPaddedHead(head_size);
  if (type == KvType::kF32) return slot * padded + channel;
  return (slot / 2 * padded + channel) * 2 + slot % 2;
}
// Bytes of a slice's elements, without scales.
constexpr int64_t KvElementBytes(KvType type, int64_t head_size) {
  const int64_t elements = kKvPageTokens * KvPaddedHead(head_size);
  switch (type) {
    case KvType::kF32:
      return elements * 4;
    case KvType::kF16:
    case KvType::kBF16:
      return elements * 2;
    case KvType::kQ8:
      return elements;
    case KvType::kQ4:
      break;
  }
  return elements / 2;
}
// Bytes of one head's slice of a page of keys (or of values). It is always inlined: each kernel set
// is compiled for its own processors, and the linker would keep one copy for all, with
// instructions that other processors may lack.
[[gnu::always_inline]] constexpr int64_t KvSliceBytes(KvType type, int64_t head_size) {
  const bool scaled = type == KvType::kQ8 || type == KvType::kQ4;
  const int64_t scales = (head_size + kKvScaleDims - 1) / kKvScaleDims * kKvPageTokens * 2;
  return KvElementBytes(type, head_size) + (scaled ? scales : 0);
}
// Bytes of one page of keys (or of values).
constexpr int64_t KvPageBytes(KvType type, int64_t kv_heads, int64_t head_size) {
  return kv_heads * KvSliceBytes(type, head_size);
}
// -----------------------------------------------------------------------------------------------

// Number of first pages that every token reads in a memory's local type (attention sinks).
inline constexpr int64_t kKvSinkPages = 1;

// The keys and values of one layer, as tokens of one part see them. Page i holds positions from
// i · kKvPageTokens on (AttentionSequence::first_position says how they are counted). Memories with
// two element types (memory/paged_kv.h) have pages of both. The sinks and the pages from
// local_begin on are read from `keys` and `values`, in AttentionArgs::type; all others are read
// from `main_keys` and `main_values`, in `main_type`.
struct KvView {
  // One pointer a page; null where the page exists in the main type only.
  std::span<const std::byte* const> keys;
  std::span<const std::byte* const> values;
  std::span<const std::byte* const> main_keys = {};
  std::span<const std::byte* const> main_values = {};
  KvType main_type = KvType::kF16;
  int64_t local_begin = 0;  // number of a page; 0: no page is read in the main type

  bool IsInMainType(int64_t page) const { return page >= kKvSinkPages && page < local_begin; }
  const std::byte* Keys(int64_t page) const {
    return (IsInMainType(page) ? main_keys : keys)[static_cast<size_t>(page)];
  }
  const std::byte* Values(int64_t page) const {
    return (IsInMainType(page) ? main_values : values)[static_cast<size_t>(page)];
  }
  KvType TypeOf(int64_t page, KvType local) const { return IsInMainType(page) ? main_type : local; }
};

// The pages that new tokens of one sequence attend in sparse attention (page_choice.h). Tokens
// choose in runs, and each key head chooses for itself. Run r holds the tokens with
// position / run_tokens = first_position / run_tokens + r.
struct ChosenPages {
  int64_t first_position = 0;
  int64_t run_tokens = 1;
  // [runs · G] ascending lists of pages. Each includes the pages of the run's own tokens. Positions
  // after a token stay hidden from it.
  std::vector<std::vector<int32_t>> lists;
};

// The new tokens' queries for pages from `first_page` on, with another rotation (RoPE).
struct QueryRange {
  int64_t first_page = 0;
  const float* q = nullptr;  // [tokens, heads, head_size]
};

// New tokens of one sequence.
struct AttentionSequence {
  const float* q = nullptr;  // [tokens, heads, head_size]
  float* out = nullptr;      // [tokens, heads, head_size]
  KvView kv;                 // covers positions [0, first_position + tokens)
  int64_t tokens = 0;
  // Position of the first token; the others follow. Positions count the tokens of `kv` alone: in a
  // streaming memory, forgotten tokens have no positions.
  int64_t first_position = 0;
  const ChosenPages* chosen = nullptr;  // null: all pages
  // Ascending by first page. Pages before the first range are attended with `q`.
  std::span<const QueryRange> ranges;
};

// The queries for one page, and the first page after it that has other queries.
struct QueriesOfPage {
  const float* q = nullptr;
  int64_t end = std::numeric_limits<int64_t>::max();
};
QueriesOfPage QueriesFor(const AttentionSequence& sequence, int64_t page);

// Returns the pages of `sequence.chosen` for one token and one of `kv_heads` key heads.
std::span<const int32_t> ChosenFor(const AttentionSequence& sequence, int64_t position,
                                   int64_t kv_head, int64_t kv_heads);

// The division of a call into blocks, made by PlanAttention and read by the kernels. A row is one
// new token. A sequence with many new tokens is cut into blocks of rows, and a block goes through
// all parts that its rows see, from the first to the last. A sequence with few new tokens is split:
// its blocks have one part each, and the results of a row's parts are merged in the end. Split
// sequences that share the pages of a part (forks of one memory) share blocks there, so that the
// pages are read together, once. With chosen pages, a block holds rows of one run only.
struct AttentionPlan {
  struct Row {  // one token; all key heads use the same rows
    int32_t sequence = 0;
    int32_t token = 0;
    int64_t partials = -1;  // index of its first partial result in the scratch; -1: not split
    // Number of its partial results: one for each part that it sees or, with chosen pages, for each
    // part that contains some.
    int64_t parts = 0;
  };
  struct Member {
    int32_t row = 0;       // index into `rows`
    int64_t partial = -1;  // index of its partial result in the scratch; -1: not split
  };
  // Rows that are attended together over parts [part_begin, part_end).
  struct Block {
    int64_t member_begin = 0;  // index into `members`
    int64_t member_end = 0;
    int64_t part_begin = 0;
    int64_t part_end = 0;
    bool split = false;  // the block has one part, whose results go to the scratch
  };
  std::vector<Row> rows;
  std::vector<Member> members;
  std::vector<Block> blocks;    // the costliest first
  std::vector<int32_t> merged;  // indices of the rows that are split
  int64_t partials = 0;         // number of (row, part) results in the scratch
};

struct AttentionArgs {
  std::span<const AttentionSequence> sequences;
  KvType type = KvType::kF16;  // type of KvView::keys and values
  int64_t heads = 0;           // H, a multiple of kv_heads
  int64_t kv_heads = 0;        // G
  int64_t head_size = 0;       // D, at most kMaxHeadSize
  int64_t window = 0;          // positions seen, including the token's own; 0: all
  float scale = 1;
  float soft_cap = 0;                   // 0: none
  const AttentionPlan* plan = nullptr;  // made for these sequences, heads and window
  std::byte* scratch = nullptr;         // AttentionScratchBytes, 64-byte aligned
};

// Most queries (rows times heads) of one block, so that their sums stay in the caches.
constexpr int64_t AttentionBlockQueries(int64_t head_size) {
  return head_size <= 128 ? 128 : head_size <= 256 ? 64 : 32;
}
// Heads that are attended together, where `group` heads share a key head.
constexpr int64_t HeadsTogether(int64_t group) { return group <= 32 ? group : 32; }
// Floats of one (row, part) result of one head: weighted values, total of the weights, and the
// score that the weights are relative to.
constexpr int64_t AttentionPartialFloats(int64_t head_size) { return head_size + 2; }

// Plans a call from all of `args` except `plan` and `scratch`.
AttentionPlan PlanAttention(const AttentionArgs& args);
// Bytes of AttentionArgs::scratch for a call with `plan`.
int64_t AttentionScratchBytes(const AttentionArgs& args, const AttentionPlan& plan);

// First position that the token at `position` sees.
constexpr int64_t FirstSeen(int64_t position, int64_t window) {
  return window > 0 && position >= window ? position - window + 1 : 0;
}

// Writes new keys and values into the pages of one layer, converted from float. In F16, values
// beyond ±65504, including infinities, become ±65504; NaN stays NaN. kQ8 and kQ4 hold magnitudes up
// to 127 · 65504 and 8 · 65504, and larger finite values become these. Both hold finite values
// only: nothing is promised of a NaN or an infinity written in them.
struct KvWriteArgs {
  const float* k = nullptr;          // [tokens, G, head_size]
  const float* v = nullptr;          // [tokens, G, head_size]
  std::span<std::byte* const> keys;  // one pointer a page of the whole layer, as in KvView
  std::span<std::byte* const> values;
  KvType type = KvType::kF16;
  int64_t tokens = 0;
  int64_t first_position = 0;
  int64_t kv_heads = 0;
  int64_t head_size = 0;
};

// Zeroes the slots from `first` on in one page of keys or of values. Slots that were never
// written hold arbitrary bytes.
void ClearKvSlots(KvType type, int64_t kv_heads, int64_t head_size, KvSide side, int64_t first,
                  std::byte* page);

}  // namespace tome
