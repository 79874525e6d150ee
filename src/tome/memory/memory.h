// What a model remembers of the tokens it has read.
//
// A model reads tokens into a Memory; a question is asked of a Memory. Which parts it is made of is
// the model's affair (Model::NewMemory): so far the keys and values of attention layers.
#pragma once

#include <cstdint>
#include <optional>

#include "tome/memory/paged_kv.h"

namespace tome {

struct MemoryOptions {
  std::optional<KvType> kv = {};  // none: ModelFacts::kv_type
  // Most tokens that the memory will hold; 0: as many as the model was made for. Some RoPE scalings
  // (LongRoPE, dynamic NTK) choose their frequencies by it once and for all, since keys that were
  // rotated otherwise could not be used any more.
  int64_t max_tokens = 0;
};

// Move-only; Fork is the copy. One thread at a time.
class Memory {
 public:
  Memory(PagedKv kv, int64_t max_tokens) : kv_(std::move(kv)), max_tokens_(max_tokens) {}

  PagedKv& kv() { return kv_; }
  const PagedKv& kv() const { return kv_; }

  int64_t length() const { return kv_.length(); }  // tokens
  int64_t bytes() const { return kv_.bytes(); }
  int64_t max_tokens() const { return max_tokens_; }

  Memory Fork() const { return {kv_.Fork(), max_tokens_}; }
  void Truncate(int64_t length) { kv_.Truncate(length); }

 private:
  PagedKv kv_;
  int64_t max_tokens_;
};

}  // namespace tome
