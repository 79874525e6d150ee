// These functions convert IEEE 754 half (F16) and bfloat16 (BF16) to float and back.
//
// The conversion to float is exact. The conversion from float rounds to nearest even, overflows to
// infinity, keeps subnormals and keeps a NaN a NaN (quiet, with the upper bits of its payload).
// Both are integer arithmetic, so no rounding mode or flush-to-zero flag of the processor changes a
// result.
#pragma once

#include <bit>
#include <cstdint>

namespace tome {

// F16: sign 1, exponent 5 (bias 15), fraction 10.
constexpr float FloatFromF16(uint16_t half) {
  const uint32_t sign = (half & 0x8000U) << 16;
  const uint32_t exponent = (half >> 10) & 0x1FU;
  uint32_t fraction = half & 0x3FFU;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000U | fraction << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
  if (fraction == 0) return std::bit_cast<float>(sign);
  // A subnormal is fraction * 2^-24. Its leading one moves to the place of a float's hidden bit.
  const int shift = std::countl_zero(fraction) - 21;  // 1 to 10
  fraction = fraction << shift & 0x3FFU;
  return std::bit_cast<float>(sign | static_cast<uint32_t>(113 - shift) << 23 | fraction << 13);
}

constexpr uint16_t F16FromFloat(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000U;
  const uint32_t magnitude = bits & 0x7FFFFFFFU;
  constexpr uint32_t kInfinity = 0x7F800000U;
  constexpr uint32_t kOverflow = 0x477FF000U;        // 65520: halfway from the largest half to 2^16
  constexpr uint32_t kSmallestNormal = 0x38800000U;  // 2^-14
  if (magnitude > kInfinity) {
    return static_cast<uint16_t>(sign | 0x7E00U | (magnitude >> 13 & 0x3FFU));
  }
  if (magnitude >= kOverflow) return static_cast<uint16_t>(sign | 0x7C00U);
  if (magnitude >= kSmallestNormal) {
    // The exponent is rebiased by -112, and the 13 lost bits are rounded; a carry runs into the
    // exponent.
    const uint32_t rounded = magnitude - (112U << 23) + 0xFFFU + (magnitude >> 13 & 1U);
    return static_cast<uint16_t>(sign | rounded >> 13);
  }
  // The result is a multiple of 2^-24: the whole significand is shifted and the rest is rounded.
  const uint32_t exponent = magnitude >> 23;
  if (exponent < 102) return static_cast<uint16_t>(sign);  // below 2^-25: rounds to zero
  const uint32_t significand = (magnitude & 0x7FFFFFU) | 0x800000U;
  const uint32_t shift = 126 - exponent;  // 14 to 24
  const uint32_t kept = significand >> shift;
  const uint32_t rest = significand & ((1U << shift) - 1);
  const uint32_t half = 1U << (shift - 1);
  const uint32_t up = rest > half || (rest == half && (kept & 1U) != 0) ? 1 : 0;
  return static_cast<uint16_t>(sign | (kept + up));
}

// BF16: the upper half of a float.
constexpr float FloatFromBF16(uint16_t bf16) {
  return std::bit_cast<float>(static_cast<uint32_t>(bf16) << 16);
}

constexpr uint16_t BF16FromFloat(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<uint16_t>(bits >> 16 | 0x40U);
  return static_cast<uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

}  // namespace tome
