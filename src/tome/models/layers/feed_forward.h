// FeedForward is the gated feed-forward network (Shazeer, 2020): down(activation(gate(x)) ⊙ up(x)).
#pragma once

#include "tome/models/layers/linear.h"

namespace tome {

struct FeedForward {
  Linear gate, up;  // [F, d]
  Linear down;      // [d, F]
  Activation activation = Activation::kSilu;
};

// Computes y = network(norm(x)). x and y are [T, d], and `hidden` [T, F] is overwritten.
void ApplyFeedForward(const Norm& norm, const FeedForward& network, const Tensor& x, Tensor& hidden,
                      Tensor& y, Scratch& scratch, const Compute& compute);
// Computes x += network(norm(x)).
void AddFeedForward(const Norm& norm, const FeedForward& network, Tensor& x, Tensor& hidden,
                    Scratch& scratch, const Compute& compute);

}  // namespace tome
