// A Memory keeps what a model needs of the tokens that it has read into it: the keys and values of
// attention layers, the states of recurrent layers, or both (Model::NewMemory decides).
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
  std::optional<KvType> kv = {};  // without a value: ModelFacts::kv_type
  // The memory will hold at most this many tokens. 0 means the model's trained length or, with a
  // `window`, any number. It is fixed in advance, because some RoPE scalings (LongRoPE, dynamic
  // NTK) choose their frequencies by it, and keys rotated by other frequencies could not be used.
  int64_t max_tokens = 0;
  // Tokens attend at least this share of the estimated softmax (kernels/page_choice.h). A share
  // above 0 and below 1 makes attention sparse; with 1, or without a value, attention is exact.
  std::optional<double> attention_mass = {};
  // Most bytes of keys and values that stay in RAM; pages beyond them are moved to a file in
  // `spill_folder` (PagedKv::Limit). Without a value, all pages stay in RAM.
  std::optional<int64_t> resident_bytes = {};
  std::filesystem::path spill_folder = {};
  // The method for texts longer than the model was made for. Without a value, a checkpoint that was
  // made for Dual Chunk Attention uses it, and others use no method; kNone turns it off. A RoPE
  // scaling of the checkpoint (such as its own YaRN) applies in any case, unless kYarn replaces it.
  std::optional<ContextExtension> longer = {};
  // With a window, the memory is a streaming one (position_scheme.h): it forgets the tokens between
  // the first `sinks` and the last `window` tokens, both rounded up to whole pages. With a window
  // of 0 it forgets no token, and `sinks` must be 0.
  int64_t window = 0;
  int64_t sinks = 0;
};

// In a pass with at most kChoiceSingleTokens tokens of a sequence, the layers before this one
// attend exactly. They look at many places (Quest, Tang et al., 2024), and a choice for a single
// token misses these more easily than a choice for a block. In a longer pass, all layers attend
// sparsely. Layers with a window always attend exactly.
inline constexpr int64_t kFirstSparseLayer = 2;

// The pages and the mass that tokens attended in the layers with sparse attention.
struct SparseUse {
  AttentionShare blocks;  // of tokens read in blocks
  AttentionShare single;  // of tokens written one by one, or few in a pass
};
// Returns "attention was sparse; reading in blocks attended … % of the pages, … % of the mass by
// the estimate; single tokens …". A kind of pass that did not occur attended "nothing".
std::string NoteOf(const SparseUse& use);

// The sparse attention of a memory.
struct SparseAttention {
  double mass = 1;
  KeySummaries summaries;
  SparseUse use;
  // [layer][key head]: the numbers of the pages that the last pass chose. Where its tokens chose
  // one by one, this is the union of their choices; where they chose in blocks, it is the choice of
  // the last block. Of a pass that is attended in pieces (PagedKv::ViewEnd,
  // ChunkedPositions::EndOfChunk), only the last piece counts.
  std::vector<std::vector<std::vector<int32_t>>> chosen = {};
  std::vector<std::vector<std::vector<int32_t>>> preselected = {};  // set by Memory::Preselect
};

// A recurrent memory keeps at most this many checkpoints. One more removes the oldest.
inline constexpr size_t kCheckpoints = 4;

// Memory is move-only: Fork makes the copy. One thread at a time.
class Memory {
 public:
  // Makes a memory of attention layers alone.
  Memory(PagedKv kv, int64_t max_tokens, std::optional<SparseAttention> sparse = {},
         const PositionScheme& positions = {})
      : kv_(std::move(kv)),
        max_tokens_(max_tokens),
        sparse_(std::move(sparse)),
        positions_(positions) {
    if (positions_.rope_tokens == 0) positions_.rope_tokens = max_tokens_;
  }
  // Makes a memory of recurrent layers and, where `kv` has a value, of attention layers. The
  // attention layers attend within segments of `segment` tokens; 0: they attend all tokens.
  Memory(Recurrent recurrent, std::optional<PagedKv> kv, int64_t max_tokens,
         std::optional<SparseAttention> sparse = {}, int64_t segment = 0)
      : kv_(std::move(kv)),
        recurrent_(std::move(recurrent)),
        max_tokens_(max_tokens),
        segment_(segment),
        sparse_(std::move(sparse)) {
    positions_.rope_tokens = max_tokens_;
  }

  // Returns whether there are attention layers; `kv` is their memory.
  bool has_kv() const { return kv_.has_value(); }
  PagedKv& kv() {
    TOME_CHECK(kv_.has_value());
    return *kv_;
  }
  const PagedKv& kv() const {
    TOME_CHECK(kv_.has_value());
    return *kv_;
  }
  // Returns the tokens of a segment, at whose end `kv` forgets all tokens; 0: it remembers all.
  int64_t segment() const { return segment_; }
  // Returns whether there is a `kv` that remembers all tokens.
  bool has_whole_kv() const { return kv_.has_value() && segment_ == 0; }
  // Returns whether there are recurrent layers; `recurrent` is their memory.
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
  // Returns the bytes of keys, values, states, checkpoints' states and key summaries. Pages that
  // are shared with forks or lie in files count in full.
  int64_t bytes() const;
  int64_t max_tokens() const { return max_tokens_; }

  // Without a value, attention is exact.
  std::optional<SparseAttention>& sparse() { return sparse_; }
  const std::optional<SparseAttention>& sparse() const { return sparse_; }

  // Remembers the pages that the last pass chose, whose tokens must be those of a question. Tokens
  // written from now on also look for pages in the parts that hold these
  // (PageChoiceArgs::preselected). Does nothing where attention is exact.
  void Preselect() {
    if (sparse_) sparse_->preselected = sparse_->chosen;
  }

  const PositionScheme& positions() const { return positions_; }
  // Returns how many tokens a streaming memory has forgotten.
  int64_t forgotten() const { return kv_ ? kv_->dropped() : 0; }

  // Model::Forward calls Reserve before it writes `tokens` new tokens into the layers, and Advance
  // after that. Each calls the function of its name in PagedKv and in Recurrent. Reserve also drops
  // the pages of a streaming memory that no new token sees.
  void Reserve(int64_t tokens);
  void Advance(int64_t tokens);

  Memory Fork() const;

  // Forgets all tokens from `length` on, and earlier ones too where the memory cannot end at
  // `length`. Returns the number of tokens left.
  // - Keys and values end where PagedKv::Truncate says.
  // - A streaming memory forgets everything if a token at position `length` would have to see
  //   tokens that are forgotten already.
  // - Recurrent layers cannot forget single tokens: a memory that has them goes back to the last
  //   checkpoint at or before `length`, or forgets everything where there is none.
  // Without recurrent layers, a memory can always end exactly where its last pass began.
  [[nodiscard]] int64_t Truncate(int64_t length);
  // Makes the present length a checkpoint. Truncate can come back to it until kCheckpoints newer
  // ones have been made. Does nothing in a memory without recurrent layers.
  void Checkpoint();

 private:
  // The content of a checkpoint.
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
  std::vector<Past> checkpoints_;  // ascending by length
  PositionScheme positions_;
};

}  // namespace tome
