#include "tome/models/layers/experts.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "tome/models/layers/residual.h"

namespace tome {
namespace {

struct Routed {
  int64_t row = 0;
  float probability = 0;
};

// Adds a row to the lists of the experts that it takes. Whatever the logits hold, these are `used`
// different experts; of equal ones the first is taken.
void Route(std::span<const float> logits, int64_t used, int64_t row,
           std::vector<std::vector<Routed>>& routed) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  std::vector<float> probabilities(logits.size());
  float total = 0;
  for (size_t e = 0; e < logits.size(); ++e) {
    probabilities[e] = std::exp(logits[e] - largest);
    total += probabilities[e];
  }
  std::vector<size_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto rank = [&](size_t e) { return std::isnan(logits[e]) ? -HUGE_VALF : logits[e]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return rank(a) > rank(b); });
  for (size_t i = 0; i < static_cast<size_t>(used); ++i) {
    routed[order[i]].push_back({.row = row, .probability = probabilities[order[i]] / total});
  }
}

}  // namespace

void AddExperts(const Norm& norm, const Experts& experts, Tensor& x, Scratch& scratch,
                const Compute& compute) {
  const int64_t tokens = x.shape()[0];
  const int64_t width = x.shape()[1];
  const auto count = static_cast<int64_t>(experts.networks.size());
  Tensor logits(DType::kF32, {tokens, count}, Fill::kNone);
  Project(&norm, x, {{.linear = experts.router, .y = logits}}, scratch, compute);
  std::vector<std::vector<Routed>> routed(experts.networks.size());
  for (int64_t row = 0; row < tokens; ++row) {
    Route(std::span<const float>(logits.floats())
              .subspan(static_cast<size_t>(row * count), static_cast<size_t>(count)),
          experts.used, row, routed);
  }
  // The experts' results are added in the order of the experts, so that a row's sum does not depend
  // on the other rows.
  Tensor sum(DType::kF32, {tokens, width});
  for (size_t e = 0; e < routed.size(); ++e) {
    if (routed[e].empty()) continue;
    const FeedForward& network = experts.networks[e];
    const auto rows = static_cast<int64_t>(routed[e].size());
    Tensor in(DType::kF32, {rows, width}, Fill::kNone);
    Tensor hidden(DType::kF32, {rows, network.up.out()}, Fill::kNone);
    Tensor out(DType::kF32, {rows, width}, Fill::kNone);
    for (int64_t i = 0; i < rows; ++i) {
      std::copy_n(x.floats().data() + routed[e][static_cast<size_t>(i)].row * width, width,
                  in.floats().data() + i * width);
    }
    ApplyFeedForward(norm, network, in, hidden, out, scratch, compute);
    for (int64_t i = 0; i < rows; ++i) {
      const Routed& one = routed[e][static_cast<size_t>(i)];
      const float* from = out.floats().data() + i * width;
      float* to = sum.floats().data() + one.row * width;
      for (int64_t j = 0; j < width; ++j) to[j] += one.probability * from[j];
    }
  }
  AddTo(x, sum);
}

}  // namespace tome
