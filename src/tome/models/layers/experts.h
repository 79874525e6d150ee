// Experts is a mixture of experts: feed-forward networks of which each token takes a few (Shazeer
// et al., 2017), weighted by the softmax over all.
#pragma once

#include <cstdint>
#include <vector>

#include "tome/models/layers/feed_forward.h"

namespace tome {

struct Experts {
  Linear router;                      // [E, d]
  std::vector<FeedForward> networks;  // [E]
  int64_t used = 0;                   // networks that a token takes; at most E
};

// Computes x += Σ p_e · network_e(norm(x)) for each row of x [T, d], over the `used` experts of the
// greatest probability. The probabilities are not made to add up to 1 again. The rows of an expert
// are one product, and experts without rows are not touched. A row's result does not depend on the
// other rows.
void AddExperts(const Norm& norm, const Experts& experts, Tensor& x, Scratch& scratch,
                const Compute& compute);

}  // namespace tome
