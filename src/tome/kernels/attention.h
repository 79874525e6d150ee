// Causal attention of new tokens over cached keys and values.
//
//   out[t, h] = Σ_s softmax_s( cap(scale · q[t, h] · k[s, g]) ) · v[s, g],   g = h / (H / G)
//
// with s from max(0, p − window + 1) to p, p = position of token t, and cap(x) = c · tanh(x / c)
// where a soft cap c is given (Gemma 2). Softmax is computed online, page by page (Milakov and
// Gimelshein, 2018; Dao et al., 2022), so no row of scores is stored; the weights of the fast sets
// are relative to a score near the largest, which moves only where a page goes far beyond it (as
// FlashAttention-4 leaves most rescaling out). Positions are cut into parts
// of kKvPartTokens: each part's softmax starts afresh, and the parts are merged in order ("split
// KV", as in Flash-Decoding). Parts may thus be computed side by side, and the result is the same,
// bit for bit, as when they are computed one after another: it depends on p and window alone, not
// on the number of threads or of tokens, nor on what else is in the batch.
//
// With F32 pages the arithmetic is float throughout. With every other type, sets that have BF16 dot
// products round queries times scale / ln 2, keys, values and softmax weights to BF16, values below
// 2^-126 to zero, and sum in float.
//
// Not-a-number and infinity in a query, or in a key, reach those who see them and no other. Values
// are expected to be finite, up to 1e32: attention weights of 0 do not hide an infinite one of the
// same page, nor of one that another query of the batch sees.
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

// Element type of cached keys and values.
//   kQ8: 8 bits, x = d · n, |n| <= 127; kQ4: 4 bits, x = d · (n − 8); a scale d in F16 for every
//   kKvScaleDims channels of a token's head.
enum class KvType : uint8_t { kF32, kF16, kBF16, kQ8, kQ4 };
inline constexpr std::array kKvTypes{KvType::kF32, KvType::kF16, KvType::kBF16, KvType::kQ8,
                                     KvType::kQ4};
std::string_view NameOf(KvType type);  // "f32", "f16", "bf16", "q8", "q4"
std::optional<KvType> KvTypeFromName(std::string_view name);

// Tokens of one page: a power of two, and the block of the online softmax.
inline constexpr int64_t kKvPageTokens = 64;
// Tokens of one part: whole pages.
inline constexpr int64_t kKvPartTokens = 1024;
inline constexpr int64_t kKvPartPages = kKvPartTokens / kKvPageTokens;
// Channels that share a scale in kQ8 and kQ4.
inline constexpr int64_t kKvScaleDims = 32;
// Largest head that kernels keep on their stack.
inline constexpr int64_t kMaxHeadSize = 512;

// --- Layout of pages ---------------------------------------------------------------------------
// The same for every kernel set, so that a stored page can be read on any machine. A page holds
// kKvPageTokens tokens of G heads, one slice a head, keys apart from values. The elements of a
// slice are ordered so that dot products of adjacent pairs need no shuffling:
//   keys    [D' / 2][64 tokens][2 channels]      values  [64 / 2 token pairs][D'][2 tokens]
// with D' = D rounded up to a multiple of 2, padding zero; for kF32 keys [D'][64], values [64][D'].
// Element i of a slice is at byte i · (4, 2, 2, 1); kQ4 packs runs of 64 elements into 32 bytes:
// byte j of a run has element j in its low half and element j + 32 in its high half. Behind the
// elements of kQ8 and kQ4 stand the scales, F16 [⌈D / 32⌉][64 tokens].

// The index of an element within its head's slice.
constexpr int64_t KvPaddedHead(int64_t head_size) { return (head_size + 1) / 2 * 2; }
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
// Bytes of one head's slice of a page of keys (or of values). Always inline: a copy that was
// compiled for one kernel set is not to be called by all.
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

// Pages at the beginning that every token reads in a memory's local type (attention sinks).
inline constexpr int64_t kKvSinkPages = 1;

// The keys and values of one layer, as tokens of one part see them; page i holds positions
// [i · kKvPageTokens, …). Memories with two element types (memory/paged_kv.h) have pages of both:
// the pages from local_begin on and the sinks are read from `keys` and `values`, in
// AttentionArgs::type, all others from `main_keys` and `main_values`, in `main_type`.
struct KvView {
  std::span<const std::byte* const> keys;    // one pointer a page; null: only the main is there
  std::span<const std::byte* const> values;  // one pointer a page
  std::span<const std::byte* const> main_keys = {};
  std::span<const std::byte* const> main_values = {};
  KvType main_type = KvType::kF16;
  int64_t local_begin = 0;  // a page; 0: there are no main ones

  bool IsInMainType(int64_t page) const { return page >= kKvSinkPages && page < local_begin; }
  const std::byte* Keys(int64_t page) const {
    return (IsInMainType(page) ? main_keys : keys)[static_cast<size_t>(page)];
  }
  const std::byte* Values(int64_t page) const {
    return (IsInMainType(page) ? main_values : values)[static_cast<size_t>(page)];
  }
  KvType TypeOf(int64_t page, KvType local) const { return IsInMainType(page) ? main_type : local; }
};

// The pages that new tokens of one sequence attend where they do not attend all (sparse attention;
// page_choice.h chooses). Tokens choose in runs, each key head for itself: run r holds the tokens
// of position / run_tokens = first_position / run_tokens + r.
struct ChosenPages {
  int64_t first_position = 0;
  int64_t run_tokens = 1;
  // [runs · G], ascending, each with the pages of the run's own tokens. What of a page lies behind
  // a token is hidden from it as ever.
  std::vector<std::vector<int32_t>> lists;
};

// Queries for pages from `first_page` on: the same new tokens', turned otherwise (RoPE).
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
  int64_t first_position = 0;           // of q's first row; the others follow
  const ChosenPages* chosen = nullptr;  // none: all pages
  // Ascending; pages before the first range are attended with `q`.
  std::span<const QueryRange> ranges;
};

// The queries that a page is attended with, and the first page behind it that has others.
struct QueriesOfPage {
  const float* q = nullptr;
  int64_t end = std::numeric_limits<int64_t>::max();
};
QueriesOfPage QueriesFor(const AttentionSequence& sequence, int64_t page);

// Those of `sequence.chosen`, for one token and key head of `kv_heads`.
std::span<const int32_t> ChosenFor(const AttentionSequence& sequence, int64_t position,
                                   int64_t kv_head, int64_t kv_heads);

// How the work of a call is cut: made by PlanAttention, read by the kernels. Sequences with many
// new tokens are cut into blocks of rows that read their keys from the first part to the last;
// sequences with few are cut by parts, and those that share the pages of a part (forks of one
// memory) read them together, once. Rows of chosen pages share a block with rows of their run only.
struct AttentionPlan {
  struct Row {  // the heads of one token that share a key head
    int32_t sequence = 0;
    int32_t token = 0;
    int64_t partials = -1;  // where its parts' results stand in the scratch; -1: not split
    int64_t parts = 0;      // whose results those are: all that it sees, or that have chosen pages
  };
  struct Member {
    int32_t row = 0;       // into rows
    int64_t partial = -1;  // where the block's result for it goes in the scratch; -1: not split
  };
  struct Block {               // rows that are attended together, over parts [part_begin, part_end)
    int64_t member_begin = 0;  // into members
    int64_t member_end = 0;
    int64_t part_begin = 0;
    int64_t part_end = 0;
    bool split = false;  // results of its one part go to the scratch
  };
  std::vector<Row> rows;
  std::vector<Member> members;
  std::vector<Block> blocks;    // the costliest first
  std::vector<int32_t> merged;  // rows that are split
  int64_t partials = 0;         // (row, part) results in the scratch
};

struct AttentionArgs {
  std::span<const AttentionSequence> sequences;
  KvType type = KvType::kF16;  // of local pages, see KvView
  int64_t heads = 0;           // H, a multiple of kv_heads
  int64_t kv_heads = 0;        // G
  int64_t head_size = 0;       // D, at most kMaxHeadSize
  int64_t window = 0;          // positions seen, the token's own included; 0: all
  float scale = 1;
  float soft_cap = 0;                   // 0: none
  const AttentionPlan* plan = nullptr;  // of these sequences, heads and window
  std::byte* scratch = nullptr;         // AttentionScratchBytes, 64-byte aligned
};

// Queries (rows times heads) of one block at most: their sums stay in the caches.
constexpr int64_t AttentionBlockQueries(int64_t head_size) {
  return head_size <= 128 ? 128 : head_size <= 256 ? 64 : 32;
}
// Heads of one key head that are attended together, of `group` that share it.
constexpr int64_t HeadsTogether(int64_t group) { return group <= 32 ? group : 32; }
// Floats of one (row, part) result of one head: weighted values, the weights' total, and the score
// that they are relative to.
constexpr int64_t AttentionPartialFloats(int64_t head_size) { return head_size + 2; }

// Uses all of `args` but plan and scratch.
AttentionPlan PlanAttention(const AttentionArgs& args);
int64_t AttentionScratchBytes(const AttentionArgs& args, const AttentionPlan& plan);

// First position that the token at `position` sees.
constexpr int64_t FirstSeen(int64_t position, int64_t window) {
  return window > 0 && position >= window ? position - window + 1 : 0;
}

// Writes new keys and values into the pages of one layer, converting from float. In F16, values
// beyond ±65504, infinities among them, become ±65504; NaN stays NaN. kQ8 and kQ4 hold finite
// values only, up to 127 and 8 times 65504: larger ones become that.
struct KvWriteArgs {
  const float* k = nullptr;          // [tokens, G, head_size]
  const float* v = nullptr;          // [tokens, G, head_size]
  std::span<std::byte* const> keys;  // pages of the whole layer, as KvView
  std::span<std::byte* const> values;
  KvType type = KvType::kF16;
  int64_t tokens = 0;
  int64_t first_position = 0;
  int64_t kv_heads = 0;
  int64_t head_size = 0;
};

// Makes the slots from `first` on of one page of keys (or of values) zero: what was never written
// holds whatever the memory held.
void ClearKvSlots(KvType type, int64_t kv_heads, int64_t head_size, bool keys, int64_t first,
                  std::byte* page);

}  // namespace tome
