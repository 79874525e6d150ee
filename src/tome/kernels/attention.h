// Causal attention of new tokens over cached keys and values.
//
//   out[t, h] = Σ_s softmax_s( cap(scale · q[t, h] · k[s, g]) ) · v[s, g],   g = h / (H / G)
//
// with s from max(0, p − window + 1) to p, p = position of token t, and cap(x) = c · tanh(x / c)
// where a soft cap c is given (Gemma 2). Softmax is computed online, block by block of
// kKvPageTokens positions (Milakov and Gimelshein, 2018; Dao et al., 2022), so no row of scores is
// stored. The order of summation depends on p and window alone, not on the number of threads or of
// tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tome {

// Element type of cached keys and values.
enum class KvType : uint8_t { kF32, kF16 };

// Tokens of one page: a power of two, and the block of the online softmax.
inline constexpr int64_t kKvPageTokens = 64;
// Largest head that kernels keep on their stack.
inline constexpr int64_t kMaxHeadSize = 512;

// The keys and values of one layer: pages of kKvPageTokens tokens; page i holds positions
// [i · kKvPageTokens, …). A page of keys is [G, kKvPageTokens, head_size], of values
// [G, kKvPageTokens, head_size], so that one head's keys lie together.
struct KvView {
  KvType type = KvType::kF16;
  std::span<const std::byte* const> keys;    // one pointer a page
  std::span<const std::byte* const> values;  // one pointer a page
};

struct AttentionArgs {
  const float* q = nullptr;  // [tokens, heads, head_size]
  float* out = nullptr;      // [tokens, heads, head_size]
  KvView kv;                 // covers positions [0, first_position + tokens)
  int64_t tokens = 0;
  int64_t first_position = 0;  // of q's first row; the others follow
  int64_t heads = 0;           // H, a multiple of kv_heads
  int64_t kv_heads = 0;        // G
  int64_t head_size = 0;       // at most kMaxHeadSize
  int64_t window = 0;          // positions seen, the token's own included; 0: all
  float scale = 1;
  float soft_cap = 0;  // 0: none
};

// Writes new keys and values into the pages of one layer, converting from float.
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

// Bytes of one page of keys (or of values).
constexpr int64_t KvPageBytes(KvType type, int64_t kv_heads, int64_t head_size) {
  return kv_heads * kKvPageTokens * head_size * (type == KvType::kF32 ? 4 : 2);
}

}  // namespace tome
