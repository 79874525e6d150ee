// What a model remembers of the tokens it has read.
//
// A model reads tokens into a Memory; a question is asked of a Memory. Which parts it is made of is
// the model's affair (Model::NewMemory): the keys and values of attention layers, the state of
// recurrent layers, or both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tome/base/error.h"
#include "tome/memory/key_summaries.h"
#include "tome/memory/paged_kv.h"
#include "tome/memory/position_scheme.h"
#include "tome/memory/recurrent.h"

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
  // Most bytes of keys and values that stay in RAM; the others lie in a file in `spill_folder`
  // (PagedKv::Limit). None: all stay.
  std::optional<int64_t> resident_bytes = {};
  std::filesystem::path spill_folder = {};
  // Where the memory is to hold more than the model was made for. None: what the checkpoint says
  // itself (Dual Chunk Attention), or nothing.
  std::optional<ContextExtension> longer = {};
  // Streaming (position_scheme.h): tokens of the window, and of the sinks, rounded up to whole
  // pages. Without a max_tokens the memory holds any number. 0: nothing is forgotten.
  int64_t window = 0;
  int64_t sinks = 0;
};

// Layers before this one attend exactly when tokens are written, and layers with a window always,
// whatever attention_mass says: the first layers look at many places (Quest, Tang et al., 2024),
// which one token's choice misses more easily than a block's.
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
  // By layer, the pages that each key head's tokens chose in the last pass, or its last block did.
  std::vector<std::vector<std::vector<int32_t>>> chosen = {};
  std::vector<std::vector<std::vector<int32_t>>> preselected = {};  // by Memory::Preselect
};

// A recurrent memory remembers so many positions to which it can be truncated.
inline constexpr size_t kCheckpoints = 4;

// Move-only; Fork is the copy. One thread at a time.
class Memory {
 public:
  // Of attention layers alone.
  Memory(PagedKv kv, int64_t max_tokens, std::optional<SparseAttention> sparse = {},
         const PositionScheme& positions = {})
      : kv_(std::move(kv)),
        max_tokens_(max_tokens),
        sparse_(std::move(sparse)),
        positions_(positions) {
    if (positions_.rope_tokens == 0) positions_.rope_tokens = max_tokens_;
  }
  // Of recurrent layers, and of attention layers where there are any; those may attend within
  // segments of `segment` tokens, 0: to all tokens.
  Memory(Recurrent recurrent, std::optional<PagedKv> kv, int64_t max_tokens,
         std::optional<SparseAttention> sparse = {}, int64_t segment = 0)
      : kv_(std::move(kv)),
        recurrent_(std::move(recurrent)),
        max_tokens_(max_tokens),
        segment_(segment),
        sparse_(std::move(sparse)) {
    positions_.rope_tokens = max_tokens_;
  }

  // Whether there are attention layers, whose memory `kv` is.
  bool has_kv() const { return kv_.has_value(); }
  PagedKv& kv() {
    TOME_CHECK(kv_.has_value());
    return *kv_;
  }
  const PagedKv& kv() const {
    TOME_CHECK(kv_.has_value());
    return *kv_;
  }
  // Tokens of a segment, at whose end `kv` forgets all; 0: it remembers all tokens.
  int64_t segment() const { return segment_; }
  // Whether there is a `kv` that remembers all tokens.
  bool has_whole_kv() const { return kv_.has_value() && segment_ == 0; }
  // Whether there are recurrent layers, whose memory `recurrent` is.
  bool has_recurrent() const { return recurrent_.has_value(); }
  Recurrent& recurrent() {
    TOME_CHECK(recurrent_.has_value());
    return *recurrent_;
  }
  const Recurrent& recurrent() const {
    TOME_CHECK(recurrent_.has_value());
    return *recurrent_;
  }

  int64_t length() const { return recurrent_ ? recurrent_->length() : kv().length(); }  // tokens
  // Checkpoints included.
  int64_t bytes() const;
  int64_t max_tokens() const { return max_tokens_; }

  // None: attention is exact.
  std::optional<SparseAttention>& sparse() { return sparse_; }
  const std::optional<SparseAttention>& sparse() const { return sparse_; }

  // What was read last is a question: tokens written from now on look for pages where it found some
  // as well (PageChoiceArgs::preselected). Nothing where attention is exact.
  void Preselect() {
    if (sparse_) sparse_->preselected = sparse_->chosen;
  }

  const PositionScheme& positions() const { return positions_; }
  // What a streaming memory has forgotten of its tokens.
  int64_t forgotten() const { return kv_ ? kv_->dropped() : 0; }

  // A forward pass over `tokens` new tokens: PagedKv's and Recurrent's Reserve, then Advance. A
  // streaming memory drops the pages that none of them sees first.
  void Reserve(int64_t tokens);
  void Advance(int64_t tokens);

  Memory Fork() const;

  // Forgets all tokens from `length` on, or some more: keys and values as PagedKv::Truncate says;
  // all where a token at that position would see what a streaming memory has forgotten already; and
  // recurrent layers cannot forget: their memory goes back to the last checkpoint up to there, or
  // forgets everything. Gives the number of tokens left, of which `length` is the most. To go back
  // to where the last pass began always works, but for recurrent layers.
  [[nodiscard]] int64_t Truncate(int64_t length);
  // Lets Truncate come back to this length, as long as it is one of the last kCheckpoints. Nothing
  // where no layer is recurrent.
  void Checkpoint();

 private:
  struct Past {
    std::optional<PagedKv> kv;
    Recurrent recurrent;

    Past Fork() const;
  };

  Past Present() const;
  void GoBack(Past past);
  void DropForgotten();

  std::optional<PagedKv> kv_;
  std::optional<Recurrent> recurrent_;
  int64_t max_tokens_;
  int64_t segment_ = 0;
  std::optional<SparseAttention> sparse_;
  std::vector<Past> checkpoints_;  // by length
  PositionScheme positions_;
};

}  // namespace tome
