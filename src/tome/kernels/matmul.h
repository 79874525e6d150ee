// Products of activations with a weight matrix.
//
//   y [T, out] = x [T, in] · Wᵀ,   W [out, in] as checkpoints store it
//
// Each y[t, o] is summed in an order that depends on `in` and the weight's type alone: not on T,
// the number of threads, nor on what else is in the batch. A token computed again, alone or among
// others, gives the same bits; restored memories and speculative decoding rely on it.
#pragma once

#include <cstdint>

#include "tome/base/thread_pool.h"
#include "tome/tensor/tensor.h"

namespace tome {

struct MatmulArgs {
  TensorView weights;  // [out, in], decodable type
  const float* x = nullptr;
  int64_t tokens = 0;
  float* y = nullptr;  // overwritten; must not overlap x
};

}  // namespace tome
