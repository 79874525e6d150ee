#include "tome/models/layers/feed_forward.h"

namespace tome {
namespace {

// hidden = activation(gate(norm(x))) ⊙ up(norm(x)).
void ProjectUp(const Norm& norm, const FeedForward& network, const Tensor& x, Tensor& hidden,
               Scratch& scratch, const Compute& compute) {
  Project(&norm, x,
          {{.linear = network.up,
            .y = hidden,
            .gate = &network.gate,
            .activation = network.activation}},
          scratch, compute);
}

}  // namespace

void ApplyFeedForward(const Norm& norm, const FeedForward& network, const Tensor& x, Tensor& hidden,
                      Tensor& y, Scratch& scratch, const Compute& compute) {
  ProjectUp(norm, network, x, hidden, scratch, compute);
  Project(hidden, {{.linear = network.down, .y = y}}, scratch, compute);
}

void AddFeedForward(const Norm& norm, const FeedForward& network, Tensor& x, Tensor& hidden,
                    Scratch& scratch, const Compute& compute) {
  ProjectUp(norm, network, x, hidden, scratch, compute);
  Project(hidden, {{.linear = network.down, .y = x, .add = true}}, scratch, compute);
}

}  // namespace tome
