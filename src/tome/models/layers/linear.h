// y = x Wᵀ + b.
#pragma once

#include <initializer_list>
#include <vector>

#include "tome/kernels/kernel_set.h"
#include "tome/models/layers/norm.h"
#include "tome/models/layers/scratch.h"
#include "tome/tensor/tensor.h"

namespace tome {

// Its weights are packed for one kernel set, or lie in the checkpoint where that set wants them as
// stored.
struct Linear {
  const KernelSet* kernels = nullptr;
  PackedMatrix weight;      // [out, in]
  Tensor packed;            // what `weight` shows, when it is packed
  std::vector<float> bias;  // [out], or empty

  int64_t out() const { return weight.out; }
  int64_t in() const { return weight.in; }
};

// One of several products of the same rows.
struct Projection {
  const Linear& linear;
  Tensor& y;                     // [T, out]
  const Linear* gate = nullptr;  // y = activation(x gateᵀ) ⊙ (x Wᵀ)
  Activation activation = Activation::kSilu;
  bool add = false;  // y += instead of y =
};

// x [T, in], normalized first where there is a norm, to every projection's y.
void Apply(const Norm* norm, const Tensor& x, std::initializer_list<Projection> projections,
           Scratch& scratch, const Compute& compute);

}  // namespace tome
