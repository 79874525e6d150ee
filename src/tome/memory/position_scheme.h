// A PositionScheme says at which positions RoPE puts the keys of a memory and the queries that look
// at them. These are the positions of their tokens, unless a text may be longer than the model was
// trained for: RoPE sees the distance between a query and a key alone, and a model has learned the
// distances of its training only.
//
// Dual Chunk Attention (An et al., 2024, arXiv 2402.17463, as in Qwen2.5-1M) cuts positions into
// chunks of s tokens. The key of position p stands at p mod s. With r = p mod s, the query of
// position p stands
//   at r                for keys of its own chunk: distances are true,
//   at min(r + s, c)    for keys of the chunk before: distances are true up to c - s at least,
//   at min(2 s - 1, c)  for keys of older chunks: their order is seen within a chunk only.
// No distance is above c. Beyond the trained length o, queries are multiplied by
//   max(1, 0.1 ln(n / o) + 1),   n = p + 1 tokens seen,
// which keeps attention from flattening. A text of one chunk is read as without the method. (The
// reference implementation takes n from the whole prompt; with n of each token the result does not
// depend on the tokens that follow.)
//
// Streaming (Xiao et al., 2024, arXiv 2309.17453): a token sees the first `sinks` tokens, the last
// `window` tokens before its page, and its page up to itself; all tokens between are forgotten.
// Sinks are looked at as if they stood right before the window. Sinks and window are whole pages,
// so beside the sinks and itself a token sees from `window` to `window` + kKvPageTokens - 1 tokens.
//
// Every scheme depends on a token's position alone, not on how a text is cut into passes.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tome/kernels/attention.h"

namespace tome {

// A method to read texts that are longer than the model was trained for.
enum class ContextExtension {
  kNone,  // no method: RoPE goes on to distances that the model has not seen
  kDca,   // Dual Chunk Attention
  kYarn,  // YaRN (Peng et al., 2023), by the least power of two that suffices
};
std::string_view NameOf(ContextExtension longer);  // "none", "dca", "yarn"
std::optional<ContextExtension> ContextExtensionFromName(std::string_view name);

struct ChunkedPositions {
  int64_t chunk = 0;    // s, whole pages
  int64_t limit = 0;    // c, at least s
  int64_t trained = 0;  // o

  int64_t KeyOf(int64_t position) const { return position % chunk; }
  int64_t QueryOfChunkBefore(int64_t position) const {
    return std::min(position % chunk + chunk, limit);
  }
  int64_t QueryOfOlderChunks() const { return std::min(2 * chunk - 1, limit); }
  // Returns the factor by which the query of a position is multiplied.
  double QueryFactor(int64_t position) const {
    const double share = static_cast<double>(position + 1) / static_cast<double>(trained);
    return share > 1 ? 0.1 * std::log(share) + 1 : 1;
  }
  // Returns the first position after the chunk of `position`.
  int64_t EndOfChunk(int64_t position) const { return (position / chunk + 1) * chunk; }

  friend bool operator==(const ChunkedPositions&, const ChunkedPositions&) = default;
};

struct StreamingWindow {
  int64_t sinks = 0;   // tokens, whole pages
  int64_t window = 0;  // tokens, whole pages, at least one

  // Returns how many tokens after the sinks a token at `position` does not see any more.
  int64_t ForgottenTo(int64_t position) const {
    const int64_t page = position / kKvPageTokens * kKvPageTokens;
    return std::max<int64_t>(0, page - window - sinks);
  }
  // Returns the most tokens that one token sees.
  int64_t MostSeen() const { return sinks + window + kKvPageTokens; }

  friend bool operator==(const StreamingWindow&, const StreamingWindow&) = default;
};

struct PositionScheme {
  int64_t rope_tokens = 0;  // the length that LongRoPE and dynamic NTK choose frequencies for
  double yarn_factor = 0;   // 0: the checkpoint's own frequencies
  int64_t yarn_tokens = 0;  // trained length that yarn_factor multiplies
  std::optional<ChunkedPositions> chunks;    // without `streaming`
  std::optional<StreamingWindow> streaming;  // without `chunks`

  // Returns whether positions are those of the tokens and frequencies those of the checkpoint.
  bool is_plain() const { return yarn_factor == 0 && !chunks && !streaming; }
  // Returns all that the bits of keys depend on except rope_tokens, such as "dca 253952 262144
  // 262144".
  std::string ToString() const;

  friend bool operator==(const PositionScheme&, const PositionScheme&) = default;
};

}  // namespace tome
