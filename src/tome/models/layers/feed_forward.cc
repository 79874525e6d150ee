#include "tome/models/layers/feed_forward.h"

namespace tome {

void Apply(const Norm& norm, const FeedForward& network, const Tensor& x, Tensor& hidden, Tensor& y,
           bool add, Scratch& scratch, const Compute& compute) {
  Apply(&norm, x,
        {{.linear = network.up,
          .y = hidden,
          .gate = &network.gate,
          .activation = network.activation}},
        scratch, compute);
  Apply(nullptr, hidden, {{.linear = network.down, .y = y, .add = add}}, scratch, compute);
}

}  // namespace tome
