// Elementary functions of vectors. They are within a few units in the last place and keep NaN.
#pragma once

#include "tome/kernels/activation.h"
#include "tome/kernels/simd/simd.h"

namespace tome::TOME_KERNEL_SET {

// Returns e^x, by Cody and Waite's reduction to |r| <= ln 2 / 2 and Taylor's polynomial of degree
// 6. It overflows to infinity and underflows to zero.
inline F32 Exp(F32 x) {
  // Outside these bounds the result is 0 or infinity anyway. Within them, both factors of 2^n are
  // finite.
  x = Min(Set(89.0F), Max(Set(-104.0F), x));
  const F32 n = Round(Mul(x, Set(1.44269504088896341F)));
  F32 r = Fnma(n, Set(0.693145751953125F), x);   // the upper bits of ln 2, exact
  r = Fnma(n, Set(1.42860682030941723e-6F), r);  // the rest of ln 2
  F32 p = Set(1.0F / 720);
  p = Fma(p, r, Set(1.0F / 120));
  p = Fma(p, r, Set(1.0F / 24));
  p = Fma(p, r, Set(1.0F / 6));
  p = Fma(p, r, Set(0.5F));
  p = Fma(p, r, Set(1));
  p = Fma(p, r, Set(1));
  return TimesPowerOfTwo(p, n);
}

// Returns 2^x by a polynomial in the fraction of x. Coefficients begin with the highest power; the
// coefficient of x^0 is 1 and not listed.
template <int kPowers>
inline F32 Exp2By(const float (&coefficients)[kPowers], F32 x) {
  const F32 r = Fraction(x);
  F32 p = Set(coefficients[0]);
  TOME_UNROLL
  for (int i = 1; i < kPowers; ++i) p = Fma(p, r, Set(coefficients[i]));
  return TimesPowerOfFloor(Fma(p, r, Set(1)), x);
}

// Exp2 and Exp2ForBF16 return 2^x: 0 for −∞, and infinity where the result is too large. Among the
// polynomials that are 1 at 0, theirs have the least relative error on [0, 1) (Remez).

// Exp2 has a relative error of at most 1.5e-7.
inline F32 Exp2(F32 x) {
  constexpr float kCoefficients[]{0.00186713005F, 0.00901703071F, 0.0557999127F, 0.240164444F,
                                  0.693151295F};
  return Exp2By(kCoefficients, x);
}
// Exp2ForBF16 has a relative error of at most 3e-6, a thousandth of the error of rounding to BF16.
inline F32 Exp2ForBF16(F32 x) {
  constexpr float kCoefficients[]{0.0134266838F, 0.0522424728F, 0.241280198F, 0.693044841F};
  return Exp2By(kCoefficients, x);
}

// Returns tanh x. Below |x| = 0.5 it uses the series, because 1 − 2 / (e^2|x| + 1) would cancel
// near zero.
inline F32 Tanh(F32 x) {
  const F32 size = Abs(x);
  const F32 e = Exp(Add(size, size));
  const F32 far = Sub(Set(1), Div(Set(2), Add(e, Set(1))));
  const F32 square = Mul(x, x);
  F32 p = Set(-929569.0F / 638512875.0F);
  p = Fma(p, square, Set(21844.0F / 6081075.0F));
  p = Fma(p, square, Set(-1382.0F / 155925.0F));
  p = Fma(p, square, Set(62.0F / 2835.0F));
  p = Fma(p, square, Set(-17.0F / 315.0F));
  p = Fma(p, square, Set(2.0F / 15.0F));
  p = Fma(p, square, Set(-1.0F / 3.0F));
  const F32 near = Fma(Mul(p, square), size, size);
  // Below 0.5 the series' next term is under 2^-26 of x.
  const F32 chosen = SelectBelow(size, Set(0.5F), near, far);
  return CopySign(chosen, x);
}

inline F32 Silu(F32 x) { return Div(x, Add(Set(1), Exp(Sub(Zero(), x)))); }

// Returns ln(1 + e^x) = max(x, 0) + ln(1 + u) with u = e^−|x|. The logarithm is the series of
// 2 artanh(u / (2 + u)), whose argument is at most 1/3.
inline F32 Softplus(F32 x) {
  const F32 u = Exp(Sub(Zero(), Abs(x)));
  const F32 s = Div(u, Add(Set(2), u));
  const F32 square = Mul(s, s);
  F32 p = Set(1.0F / 17);
  p = Fma(p, square, Set(1.0F / 15));
  p = Fma(p, square, Set(1.0F / 13));
  p = Fma(p, square, Set(1.0F / 11));
  p = Fma(p, square, Set(1.0F / 9));
  p = Fma(p, square, Set(1.0F / 7));
  p = Fma(p, square, Set(1.0F / 5));
  p = Fma(p, square, Set(1.0F / 3));
  p = Fma(Mul(p, square), s, s);
  return Fma(Set(2), p, Max(Zero(), x));
}

inline F32 GeluTanh(F32 x) {
  const F32 inner = Mul(Set(0.7978845608028654F),  // √(2/π)
                        Fma(Mul(Set(0.044715F), Mul(x, x)), x, x));
  return Mul(Mul(Set(0.5F), x), Add(Set(1), Tanh(inner)));
}

// Returns erf x as a quotient x · P(x²) / Q(x²), whose coefficients have the least error on [0, 4]
// (weighted least squares). With the roundings, the error is at most six roundoffs of 1. From 4 on
// erf x rounds to 1.
inline F32 Erf(F32 x) {
  // Min and Max return their second argument where either is NaN.
  const F32 z = Min(Set(4), Max(Set(-4), x));
  const F32 t = Mul(z, z);
  F32 p = Set(1.97473264e-06F);
  p = Fma(p, t, Set(0.000288026524F));
  p = Fma(p, t, Set(0.00400344189F));
  p = Fma(p, t, Set(0.0534668751F));
  p = Fma(p, t, Set(0.1962457F));
  p = Fma(p, t, Set(1.12837899F));
  F32 q = Set(3.74790434e-05F);
  q = Fma(q, t, Set(0.00121628982F));
  q = Fma(q, t, Set(0.015444044F));
  q = Fma(q, t, Set(0.116474912F));
  q = Fma(q, t, Set(0.507249355F));
  q = Fma(q, t, Set(1));
  return Min(Set(1), Max(Set(-1), Div(Mul(z, p), q)));
}

inline F32 Gelu(F32 x) {
  return Mul(Mul(Set(0.5F), x), Add(Set(1), Erf(Mul(Set(0.7071067811865476F), x))));
}

template <Activation kActivation>
inline F32 Activate(F32 x) {
  if constexpr (kActivation == Activation::kSilu) return Silu(x);
  if constexpr (kActivation == Activation::kGeluTanh) return GeluTanh(x);
  if constexpr (kActivation == Activation::kGelu) return Gelu(x);
  return x;
}

}  // namespace tome::TOME_KERNEL_SET
