// What a model remembers of the tokens it has read.
//
// A model reads tokens into a Memory; a question is asked of a Memory. Which parts it is made of is
// the model's affair (Model::NewMemory): so far the keys and values of attention layers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "tome/memory/key_summaries.h"
#include "tome/memory/paged_kv.h"
#include "tome/memory/position_scheme.h"

namespace tome {

struct MemoryOptions {
  std::optional<KvType> kv = {};  // none: ModelFacts::kv_type
  // Most tokens that the memory will hold; 0: as many as the model was made for. Some RoPE scalings
  // (LongRoPE, dynamic NTK) choose their frequencies by it once and for all, since keys that were
  // rotated otherwise could not be used any more.
  int64_t max_tokens = 0;
  // Sparse attention: the share of the estimated softmax that tokens attend to at least, above 0
  // and below 1 (kernels/page_choice.h). None, or 1: exact attention.
  std::optional<double> attention_mass = {};
  // Where the memory is to hold more than the model was made for. None: what the checkpoint says
  // itself (Dual Chunk Attention), or nothing.
  std::optional<Longer> longer = {};
  // Streaming (position_scheme.h): tokens of the window, and of the sinks, rounded up to whole
  // pages. Without a max_tokens the memory holds any number. 0: nothing is forgotten.
  int64_t window = 0;
  int64_t sinks = 0;
};

// Layers before this one, and layers with a window, attend exactly whatever attention_mass says.
inline constexpr int64_t kFirstSparseLayer = 2;

// What was attended in the layers that are sparse.
struct SparseUse {
  AttentionShare blocks;  // by tokens read in blocks
  AttentionShare single;  // by others: those written one by one, or few in a pass
};
// "attention was sparse; reading: …% of the pages, …% of the mass by the estimate; writing: …"
std::string NoteOf(const SparseUse& use);

// The sparse attention of a memory.
struct SparseAttention {
  double mass = 1;
  KeySummaries summaries;
  SparseUse use;
};

// Move-only; Fork is the copy. One thread at a time.
class Memory {
 public:
  Memory(PagedKv kv, int64_t max_tokens, std::optional<SparseAttention> sparse = {},
         const PositionScheme& positions = {})
      : kv_(std::move(kv)),
        max_tokens_(max_tokens),
        sparse_(std::move(sparse)),
        positions_(positions) {
    if (positions_.rope_tokens == 0) positions_.rope_tokens = max_tokens_;
  }

  PagedKv& kv() { return kv_; }
  const PagedKv& kv() const { return kv_; }

  int64_t length() const { return kv_.length(); }  // tokens
  int64_t bytes() const { return kv_.bytes() + (sparse_ ? sparse_->summaries.bytes() : 0); }
  int64_t max_tokens() const { return max_tokens_; }

  // None: attention is exact.
  std::optional<SparseAttention>& sparse() { return sparse_; }
  const std::optional<SparseAttention>& sparse() const { return sparse_; }

  const PositionScheme& positions() const { return positions_; }
  // What a streaming memory has forgotten of its tokens.
  int64_t forgotten() const { return kv_.dropped(); }
  // Before a pass of new tokens: drops the pages that none of them sees.
  void DropForgotten();

  Memory Fork() const { return {kv_.Fork(), max_tokens_, sparse_, positions_}; }
  // Forgets all tokens from `length` on, and gives the tokens left: `length`, or 0 where a token
  // at that position would see what a streaming memory has forgotten already. Streaming memories
  // can always go back to where their last pass began.
  int64_t Truncate(int64_t length);

 private:
  PagedKv kv_;
  int64_t max_tokens_;
  std::optional<SparseAttention> sparse_;
  PositionScheme positions_;
};

}  // namespace tome
