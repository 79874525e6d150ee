// FeedForward is the gated feed-forward network (Shazeer, 2020): down(activation(gate(x)) ⊙ up(x)).
#pragma once

#include "tome/models/layers/linear.h"

namespace tome {

struct FeedForward {
  Linear gate, up;  // [F, d]
  Linear down;      // [d, F]
  Activation activation = Activation::kSilu;
};

// Writes the network of norm(x) to y, or adds it to y, which may then be x. x and y are [T, d], and
// `hidden` [T, F] is overwritten.
void Apply(const Norm& norm, const FeedForward& network, const Tensor& x, Tensor& hidden, Tensor& y,
           bool add, Scratch& scratch, const Compute& compute);

}  // namespace tome
