// Attend is self-attention of a batch's new tokens over all that their memories hold.
#pragma once

#include <cstdint>
#include <span>

#include "tome/kernels/kernel_set.h"
#include "tome/models/layers/rope.h"
#include "tome/models/layers/scratch.h"
#include "tome/models/model.h"

namespace tome {

// An AttentionShape describes the heads of one layer, apart from its weights.
struct AttentionShape {
  int64_t heads = 0;      // H
  int64_t kv_heads = 0;   // G
  int64_t head_size = 0;  // D
  int64_t window = 0;     // tokens; 0: all positions
  float scale = 1;
  float soft_cap = 0;  // 0: no cap
};

// An AttentionInput holds queries, keys and values of all tokens of a batch, item after item, with
// RoPE applied. For memories that keep rotated keys, Attend rotates q and k in place.
struct AttentionInput {
  float* q = nullptr;        // [T, H, D]
  float* k = nullptr;        // [T, G, D]
  const float* v = nullptr;  // [T, G, D]
  // Queries for farther pages (BatchAngles), [T, H, D]; null where no token sees such pages.
  float* q_middle = nullptr;
  float* q_far = nullptr;
};

// RotateArgs says how Rotate turns rows.
struct RotateArgs {
  const RopeTable& table;
  int64_t rotary = 0;  // channels of a head that turn
  RopeLayout layout = RopeLayout::kHalfSplit;
  int64_t head_size = 0;
};
// Turns x [T, heads, D] in place by the angles of each token's position.
void Rotate(Tensor& x, const RotateArgs& args, const Compute& compute);

// A BatchRotation holds the angles of a forward pass and turns each layer's queries and keys by
// them.
class BatchRotation {
 public:
  BatchRotation(Batch batch, const RopeConfig& rope, RopeLayout layout, int64_t head_size);

  // Turns q [T, H · D] and k [T, G · D] in place by the angles of each token. The result points
  // into q, k, v and this object, and is valid until the next call.
  AttentionInput Turn(Tensor& q, Tensor& k, const Tensor& v, const Compute& compute);

 private:
  void Turn(Tensor& x, const RopeTable& table, const Compute& compute) const;
  float* TurnCopy(const Tensor& q, const RopeTable& table, Tensor& copy,
                  const Compute& compute) const;

  BatchAngles angles_;
  int64_t rotary_;
  RopeLayout layout_;
  int64_t head_size_;
  Tensor middle_;
  Tensor far_;
};

// Writes each item's new keys and values into layer `layer` of its memory, where room was reserved,
// and attends the item's queries to all that the memory holds. Items whose memories share pages
// read these pages together. The memory's PositionScheme decides how far a token sees, and with
// which of its queries. A memory with sparse attention attends the pages that it chooses, and
// counts them. `out` is [T, H, D].
void Attend(Batch batch, int64_t layer, const AttentionShape& shape, const AttentionInput& input,
            float* out, Scratch& scratch, const Compute& compute);

}  // namespace tome
