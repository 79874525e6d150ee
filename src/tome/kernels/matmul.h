// Products of activations with weight matrices.
//
//   y [T, out] = x [T, in] · Wᵀ + b,   W [out, in] as checkpoints store it
//
// Weights are packed once, at load, into the layout that a kernel set multiplies with
// (KernelSet::pack). The set `generic` uses them as they are stored. One call multiplies the same
// rows with several matrices (Q, K and V; gate and up), so that the rows are prepared once.
//
// The fast sets round as follows:
//   block-quantized weights   x is rounded to 8 bits, with a scale for every 32 values. Sums of
//                             products are exact integers within a block and float across blocks.
//                             Where all 32 activations that share a scale are below 2^-100 in
//                             magnitude, they count as zero.
//   F16 and BF16 weights      In sets with BF16 dot products, x and W are rounded to BF16 (F16
//                             weights lose three of eleven bits), and values below 2^-126 to zero.
//                             Products are exact, sums float. Other sets round neither x nor W.
//   F32 weights               Nothing is rounded.
//
// Each y[t, o] is summed in an order that depends only on `in` and on the type of the weights. It
// does not depend on T, on the number of threads or on the rest of the batch. So a token that is
// computed again, alone or with others, gives the same bits. Restored memories and speculative
// decoding rely on this.
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
  DType dtype = DType::kF32;  // type of the stored weights, which DecodeRow can decode
  int64_t out = 0;
  int64_t in = 0;
  const std::byte* data = nullptr;  // 64-byte aligned, except for the set `generic`
};

// One matrix of a product, and the use of its result.
struct MatmulOutput {
  PackedMatrix weights;
  const float* bias = nullptr;  // [out]; null: none
  // With a gate, y = activation(x · gateᵀ) ⊙ (x · Wᵀ), the middle of SwiGLU and GeGLU (Shazeer,
  // 2020). The gate has the shape of `weights`, and neither has a bias. With data == nullptr there
  // is no gate, and y = activation(x · Wᵀ + b).
  PackedMatrix gate;
  Activation activation = Activation::kNone;
  bool add = false;    // y += instead of y =, for the residual stream
  float* y = nullptr;  // [tokens, out]; must not overlap x
};

struct MatmulArgs {
  const float* x = nullptr;  // [tokens, in]
  int64_t tokens = 0;
  int64_t in = 0;
  // Weight [in] of an RMS normalization of the rows before the product (norm.h); null: none.
  const float* norm_weight = nullptr;
  float norm_eps = 0;
  std::span<const MatmulOutput> outputs;  // all of width `in`
  std::byte* scratch = nullptr;           // KernelSet::matmul_scratch bytes, 64-byte aligned
};

}  // namespace tome
