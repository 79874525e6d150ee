// The gated feed-forward network (Shazeer, 2020): down(activation(gate(x)) ⊙ up(x)).
#pragma once

#include "tome/models/layers/linear.h"

namespace tome {

struct FeedForward {
  Linear gate, up;  // [F, d]
  Linear down;      // [d, F]
  Activation activation = Activation::kSilu;
};

// norm(x) [T, d] through the network; into y, or added to it (y may then be x). `hidden` is
// [T, F].
void Apply(const Norm& norm, const FeedForward& network, const Tensor& x, Tensor& hidden, Tensor& y,
           bool add, Scratch& scratch, const Compute& compute);

}  // namespace tome
