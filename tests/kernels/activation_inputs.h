// The activations of gated feed-forward networks in double precision.
#pragma once

#include <cmath>
#include <numbers>

#include "tests/kernels/kernel_inputs.h"

namespace tome {

inline double Exact(Activation activation, double x) {
  if (activation == Activation::kSilu) return x / (1 + std::exp(-x));
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}

// How far a float evaluation of act(gate) · up may be off, for exact arguments. `exp` errs by at
// most six roundoffs: three that the polynomial of degree six leaves out (0.3466^7 / 7! relative to
// e^-0.3466), three of reduction and evaluation.
//
// SiLU: exp, a sum, a quotient and the product with `up`: relative. Where e^-x passes the range of
// float the result is below 2^-120, and zero is as good.
// GELU: 1 + tanh cancels for negative x, so errors are relative to x: about two roundoffs from the
// argument (its slope x·tanh' is below 1/2), the rest from tanh, sum and products.
inline double ActivationTolerance(Activation activation, double gate, double up) {
  const double base =
      activation == Activation::kSilu ? std::abs(Exact(activation, gate)) : std::abs(gate);
  return (10 * kRoundoff * base + 0x1p-120) * std::abs(up) + 4 * kUnderflow;
}

}  // namespace tome
