#include "tome/retrieval/quantized_vectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tome/base/error.h"
#include "tome/kernels/vector_scan.h"

namespace tome {
namespace {

// Returns the largest magnitude, or infinity or NaN where a value is one.
float LargestMagnitude(std::span<const float> x) {
  float largest = 0;
  for (const float value : x) {
    const float magnitude = std::abs(value);
    if (!(magnitude <= std::numeric_limits<float>::max())) return magnitude;
    largest = std::max(largest, magnitude);
  }
  return largest;
}

// Returns 1 / ‖values‖, or 0 for zeros.
template <typename Integer>
float InverseLength(std::span<const Integer> values) {
  double squares = 0;
  for (const Integer value : values) squares += double{1} * value * value;
  return squares == 0 ? 0 : static_cast<float>(1 / std::sqrt(squares));
}

// Returns the nibble of a value in steps of 1 / inverse_step.
int NibbleOf(float value, float inverse_step) {
  // Steps are between odd numbers of half steps, so that zero lies between the codes 7 and 8.
  return static_cast<int>(std::clamp(value * inverse_step + 8, 0.0F, 15.0F));
}

// The products of a code with its vector and with itself, for one width of the steps.
struct CodeProducts {
  float with_vector = 0;
  float with_itself = 0;
};
CodeProducts ProductsOf(std::span<const float> x, float inverse_step) {
  CodeProducts products;
  for (const float value : x) {
    const auto code = static_cast<float>(2 * NibbleOf(value, inverse_step) - 15);
    products.with_vector += code * value;
    products.with_itself += code * code;
  }
  return products;
}

}  // namespace

void QuantizeVectors(std::span<const float> vectors, int64_t width, std::span<int8_t> values,
                     std::span<float> scales) {
  const auto size = static_cast<size_t>(width);
  TOME_CHECK(width > 0 && vectors.size() == scales.size() * size &&
             values.size() == vectors.size());
  for (size_t row = 0; row < scales.size(); ++row) {
    const std::span<const float> x = vectors.subspan(row * size, size);
    const std::span<int8_t> n = values.subspan(row * size, size);
    const float largest = LargestMagnitude(x);
    if (!std::isfinite(largest)) {
      throw Error(
          Code::kInvalidArgument,
          fmt::format("vector {} of {} holds a value that is no finite number; the embedder "
                      "that made it cannot be used",
                      row + 1, scales.size()));
    }
    // In double, since 127 / x is infinite in float for the smallest x.
    const double factor = largest > 0 ? 127 / double{largest} : 0;
    std::transform(x.begin(), x.end(), n.begin(), [&](float value) {
      return static_cast<int8_t>(std::lrint(double{value} * factor));
    });
    scales[row] = InverseLength<int8_t>(n);
  }
}

VectorQuery QuantizeQuery(std::span<const float> query) {
  const float largest = LargestMagnitude(query);
  if (!std::isfinite(largest)) {
    throw Error(Code::kInvalidArgument,
                "the question's vector holds a value that is no finite number; the embedder that "
                "made it cannot be used");
  }
  if (largest == 0) {
    throw Error(Code::kInvalidArgument,
                "the question's vector is all zeros, and nothing is near to it; ask with words");
  }
  double total = 0;
  for (const float value : query) total += std::abs(double{value});
  // Rounding adds up to a half to each magnitude.
  const double room = std::numeric_limits<int32_t>::max() / 127 - static_cast<double>(query.size());
  const double factor = std::min(32767 / double{largest}, room / total);
  VectorQuery result;
  result.values.resize(static_cast<size_t>(PaddedQuery(static_cast<int64_t>(query.size()))));
  std::transform(query.begin(), query.end(), result.values.begin(), [&](float value) {
    return static_cast<int16_t>(std::lrint(double{value} * factor));
  });
  result.scale = InverseLength<int16_t>(result.values);
  return result;
}

float EncodeNibbles(std::span<const float> x, std::span<uint8_t> nibbles) {
  std::fill(nibbles.begin(), nibbles.end(), uint8_t{0});
  const float largest = LargestMagnitude(x);
  if (largest == 0) return 0;
  // The widest steps reach the largest value; narrower ones cut off the few largest and are finer
  // for all others.
  constexpr int kWidths = 12;
  float best = 0;
  float best_cosine = -1;
  for (int i = 0; i < kWidths; ++i) {
    const float reach = 1 - static_cast<float>(i) / (kWidths + 4);
    const float inverse_step = 8 / (largest * reach);
    const CodeProducts products = ProductsOf(x, inverse_step);
    const float cosine = products.with_vector / std::sqrt(products.with_itself);
    if (cosine > best_cosine) {
      best_cosine = cosine;
      best = inverse_step;
    }
  }
  double squares = 0;
  double product = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const int nibble = NibbleOf(x[i], best);
    const size_t at = i / kNibbleRun * (kNibbleRun / 2) + i % (kNibbleRun / 2);
    nibbles[at] |= static_cast<uint8_t>(i % kNibbleRun < kNibbleRun / 2 ? nibble : nibble << 4);
    squares += double{x[i]} * double{x[i]};
    product += (2 * nibble - 15) * double{x[i]};
  }
  return static_cast<float>(squares / product);
}

}  // namespace tome
