#include <algorithm>
#include <cmath>
#include <numbers>

#include "tome/kernels/generic/generic.h"

namespace tome::generic {

float Activate(Activation activation, float x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kSilu:
      return x / (1.0F + std::exp(-x));
    case Activation::kGeluTanh: {
      constexpr float kScale = 0.7978845608028654F;  // √(2/π)
      return 0.5F * x * (1.0F + std::tanh(kScale * (x + 0.044715F * x * x * x)));
    }
    case Activation::kGelu:
      break;
  }
  constexpr float kHalfRoot = 0.7071067811865476F;  // 1 / √2
  return 0.5F * x * (1.0F + std::erf(kHalfRoot * x));
}

void RmsNorm(const RmsNormArgs& args, ThreadPool& threads) noexcept {
  threads.ParallelFor(args.rows, [&](int64_t row, int) {
    const float* x = args.x + row * args.width;
    const float* weight = args.weight + row % args.groups * args.width;
    float* y = args.y + row * args.width;
    double squares = 0;
    for (int64_t i = 0; i < args.width; ++i) squares += double{x[i]} * x[i];
    const double mean = squares / static_cast<double>(args.width);
    const auto factor = static_cast<float>(1.0 / std::sqrt(mean + double{args.eps}));
    for (int64_t i = 0; i < args.width; ++i) y[i] = weight[i] * (x[i] * factor);
  });
}

void LayerNorm(const LayerNormArgs& args, ThreadPool& threads) noexcept {
  const auto width = static_cast<double>(args.width);
  threads.ParallelFor(args.rows, [&](int64_t row, int) {
    float* const y = args.y + row * args.width;
    for (int64_t i = 0; i < args.width; ++i) {
      const int64_t at = row * args.width + i;
      y[i] = args.residual != nullptr ? args.x[at] + args.residual[at] : args.x[at];
    }
    double sum = 0;
    for (int64_t i = 0; i < args.width; ++i) sum += double{y[i]};
    const auto mean = static_cast<float>(sum / width);
    double squares = 0;
    for (int64_t i = 0; i < args.width; ++i) {
      y[i] -= mean;
      squares += double{y[i]} * y[i];
    }
    const auto factor = static_cast<float>(1.0 / std::sqrt(squares / width + double{args.eps}));
    for (int64_t i = 0; i < args.width; ++i) {
      const float value = args.weight[i] * (y[i] * factor);
      y[i] = args.bias != nullptr ? value + args.bias[i] : value;
    }
  });
}

void Rope(const RopeArgs& args, ThreadPool& threads) noexcept {
  const int64_t half = args.rotary / 2;
  const bool interleaved = args.layout == RopeLayout::kInterleaved;
  const int64_t step = interleaved ? 2 : 1;
  const int64_t distance = interleaved ? 1 : half;
  threads.ParallelFor(args.tokens, [&](int64_t t, int) {
    const float* cos = args.cos + t * half;
    const float* sin = args.sin + t * half;
    for (int64_t h = 0; h < args.heads; ++h) {
      float* x = args.x + (t * args.heads + h) * args.head_size;
      for (int64_t i = 0; i < half; ++i) {
        const float a = x[i * step];
        const float b = x[i * step + distance];
        x[i * step] = a * cos[i] - b * sin[i];
        x[i * step + distance] = b * cos[i] + a * sin[i];
      }
    }
  });
}

void Hadamard(const HadamardArgs& args, ThreadPool& threads) noexcept {
  const int64_t block = HadamardBlock(args.head_size);
  const float scale = 1.0F / std::sqrt(static_cast<float>(block));
  const int64_t blocks = args.heads * args.head_size / block;
  threads.ParallelFor(args.tokens, [&](int64_t t, int) {
    for (int64_t b = 0; b < blocks; ++b) {
      float* const x = args.x + (t * blocks + b) * block;
      for (int64_t i = 0; i < block; ++i) x[i] *= scale;
      for (int64_t distance = 1; distance < block; distance *= 2) {
        for (int64_t i = 0; i < block; ++i) {
          if ((i & distance) != 0) continue;
          const float low = x[i];
          const float high = x[i + distance];
          x[i] = low + high;
          x[i + distance] = low - high;
        }
      }
    }
  });
}

void SoftCap(const SoftCapArgs& args) noexcept {
  for (int64_t i = 0; i < args.size; ++i) args.x[i] = args.cap * std::tanh(args.x[i] / args.cap);
}

double LogSumExp(const LogSumExpArgs& args) noexcept {
  const double largest = *std::max_element(args.x, args.x + args.size);
  double total = 0;
  for (int64_t i = 0; i < args.size; ++i) total += std::exp(double{args.x[i]} - largest);
  return largest + std::log(total);
}

RateProbes Rates() noexcept {
  const auto probe = [](int64_t rounds) noexcept -> int64_t {
    constexpr int kChains = 8;
    volatile float factor = 0.999F;
    const float a = factor;
    float sums[kChains] = {};
    for (int64_t i = 0; i < rounds; ++i) {
      for (float& sum : sums) sum = sum * a + 0.001F;
    }
    for (const float sum : sums) factor = sum;
    return rounds * kChains * 2;
  };
  return {.f32 = probe};
}

}  // namespace tome::generic
