// Products of activations with weight matrices.
//
//   y [T, out] = x [T, in] · Wᵀ + b,   W [out, in] as checkpoints store it
//
// Weights are packed once, at load, into the layout that a kernel set multiplies with (KernelSet::
// pack); the set `generic` takes them as they are stored. One call multiplies the same rows with
// several matrices (Q, K and V; gate and up), so that the rows are prepared once.
//
// What the fast sets round:
//   block-quantized weights: x is rounded to 8 bits, a scale for every 32 values; sums of products
//     are exact integers within a block, floats from block to block;
//   F16 and BF16 weights: where the set has BF16 dot products, x and W are rounded to BF16 (for F16
//     weights that drops three of eleven bits), values below 2^-126 to zero; products are exact,
//     sums float; other sets keep both;
//   F32 weights: nothing.
// Activations below 2^-100 in every one of 32 values count as zero beside quantized weights.
//
// Each y[t, o] is summed in an order that depends on `in` and the weight's type alone: not on T,
// the number of threads, nor on what else is in the batch. A token computed again, alone or among
// others, gives the same bits; restored memories and speculative decoding rely on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tome/base/thread_pool.h"
#include "tome/kernels/activation.h"
#include "tome/tensor/tensor.h"

namespace tome {

// A weight matrix in the layout of one kernel set; a view that owns nothing.
struct PackedMatrix {
  DType dtype = DType::kF32;  // as stored, decodable
  int64_t out = 0;
  int64_t in = 0;
  const std::byte* data = nullptr;  // 64-byte aligned, but for the set `generic`
};

// What becomes of the product with one matrix.
struct MatmulOutput {
  PackedMatrix weights;
  const float* bias = nullptr;  // [out], or none
  // With a gate: y = activation(x · gateᵀ) ⊙ (x · Wᵀ), the middle of SwiGLU and GeGLU (Shazeer,
  // 2020). It has the shape of `weights`; data == nullptr: none. Neither has a bias then.
  PackedMatrix gate;
  Activation activation = Activation::kSilu;
  bool add = false;    // y += instead of y =: the residual stream
  float* y = nullptr;  // [tokens, out]; must not overlap x
};

struct MatmulArgs {
  const float* x = nullptr;  // [tokens, in]
  int64_t tokens = 0;
  int64_t in = 0;
  // The rows are RMS-normalized first (norm.h) where there is a weight [in].
  const float* norm_weight = nullptr;
  float norm_eps = 0;
  std::span<const MatmulOutput> outputs;  // all of width `in`
  std::byte* scratch = nullptr;           // KernelSet::matmul_scratch bytes, 64-byte aligned
};

}  // namespace tome
