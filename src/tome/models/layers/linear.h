// Linear is a matrix product with a bias: y = x Wᵀ + b.
#pragma once

#include <initializer_list>
#include <vector>

#include "tome/kernels/kernel_set.h"
#include "tome/models/layers/norm.h"
#include "tome/models/layers/scratch.h"
#include "tome/tensor/tensor.h"

namespace tome {

// The weights of a Linear are packed for one kernel set, or lie in the checkpoint where that set
// takes them as stored.
struct Linear {
  const KernelSet* kernels = nullptr;
  PackedMatrix weight;      // [out, in]
  Tensor packed;            // what `weight` points to, where it is packed
  std::vector<float> bias;  // [out], or empty

  int64_t out() const { return weight.out; }
  int64_t in() const { return weight.in; }
};

// A Projection is one of several products of the same rows.
struct Projection {
  const Linear& linear;
  Tensor& y;                                  // [T, out]
  const Linear* gate = nullptr;               // where given, y = activation(x gateᵀ) ⊙ (x Wᵀ)
  Activation activation = Activation::kNone;  // without a gate, y = activation(x Wᵀ + b)
  bool add = false;                           // y += instead of y =
};

// Writes the product of x [T, in], normalized first where `norm` is given, to every projection's y.
void Project(const Norm* norm, const Tensor& x, std::initializer_list<Projection> projections,
             Scratch& scratch, const Compute& compute);
inline void Project(const Tensor& x, std::initializer_list<Projection> projections,
                    Scratch& scratch, const Compute& compute) {
  Project(nullptr, x, projections, scratch, compute);
}

}  // namespace tome
