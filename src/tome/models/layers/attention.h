// Self-attention of a batch's new tokens over what their memories hold.
#pragma once

#include <cstdint>
#include <span>

#include "tome/kernels/kernel_set.h"
#include "tome/models/layers/rope.h"
#include "tome/models/layers/scratch.h"
#include "tome/models/model.h"

namespace tome {

// What the heads of one layer are, beyond its weights.
struct AttentionShape {
  int64_t heads = 0;      // H
  int64_t kv_heads = 0;   // G
  int64_t head_size = 0;  // D
  int64_t window = 0;     // 0: all positions
  float scale = 1;
  float soft_cap = 0;  // 0: none
};

// Query, key and value of all tokens of a batch, item after item; RoPE has been applied. Attend
// turns q and k in place for memories whose keys are rotated.
struct AttentionInput {
  float* q = nullptr;        // [T, H, D]
  float* k = nullptr;        // [T, G, D]
  const float* v = nullptr;  // [T, G, D]
  // Queries for farther pages (BatchAngles): [T, H, D], null where no token sees such pages.
  float* q_middle = nullptr;
  float* q_far = nullptr;
};

// Turns x [T, heads, D] in place by the angles of each token's position.
struct RotateArgs {
  const RopeTable& table;
  int64_t rotary = 0;
  RopeLayout layout = RopeLayout::kHalfSplit;
  int64_t head_size = 0;
};
void Rotate(Tensor& x, const RotateArgs& args, const Compute& compute);

// The angles of a forward pass, and what they make of each layer's queries and keys.
class BatchRotation {
 public:
  BatchRotation(Batch batch, const RopeConfig& rope, RopeLayout layout, int64_t head_size);

  // Turns q [T, H · D] and k [T, G · D] in place by the angles of each token. What is returned is
  // valid until the next call.
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

// For each item: writes its new keys and values into layer `layer` of its memory (where room was
// reserved) and attends its queries to all of them. Items whose memories share pages read these
// together. How far a token sees, and with which of its queries, is the memory's PositionScheme. A
// memory of sparse attention attends the pages that it chooses, and counts them. `out`
// is [T, H, D].
void Attend(Batch batch, int64_t layer, const AttentionShape& shape, const AttentionInput& input,
            float* out, Scratch& scratch, const Compute& compute);

}  // namespace tome
