// Computes the activations of gated feed-forward networks in double precision, with tolerances.
#pragma once

#include <cmath>
#include <numbers>

#include "tests/kernels/kernel_inputs.h"

namespace tome {

inline double Exact(Activation activation, double x) {
  if (activation == Activation::kNone) return x;
  if (activation == Activation::kSilu) return x / (1 + std::exp(-x));
  if (activation == Activation::kGelu) return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}

// Returns how far a float evaluation of act(gate) · up may be off, for exact arguments. `exp` errs
// by at most six roundoffs: three for the terms that the polynomial of degree six leaves out
// (0.3466^7 / 7! relative to e^-0.3466), and three for reduction and evaluation.
//
// SiLU takes exp, a sum, a quotient and the product with `up`, so its errors are relative to its
// value. Where e^-x exceeds the range of float, the result is below 2^-120, and zero is as good.
//
// GELU: 1 + tanh and 1 + erf cancel for negative x, so its errors are relative to x. About two
// roundoffs come from the argument (its slope x·tanh' is below 1/2), the rest from tanh or erf, the
// sum and the products.
inline double ActivationTolerance(Activation activation, double gate, double up) {
  const double base =
      activation == Activation::kSilu ? std::abs(Exact(activation, gate)) : std::abs(gate);
  return (10 * kRoundoff * base + 0x1p-120) * std::abs(up) + 4 * kUnderflow;
}

}  // namespace tome
