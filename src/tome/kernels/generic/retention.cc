#include "tome/kernels/generic/retention.h"

#include <algorithm>
#include <cmath>

#include "tome/kernels/generic/dot.h"
#include "tome/kernels/generic/generic.h"

namespace tome::generic {
namespace {

float Power(double log_decay, int64_t exponent) {
  return static_cast<float>(std::exp(log_decay * static_cast<double>(exponent)));
}

// Returns c[n, h] for n = `position`.
float Normalizer(const RetentionArgs& args, double log_decay, int64_t position) {
  if (!args.normalize) return 1;
  const auto terms = static_cast<double>(position + 1);
  // The sum is (1 − γ^terms) / (1 − γ), computed without cancellation, or its limit for γ = 1.
  const double sum = log_decay < 0 ? std::expm1(log_decay * terms) / std::expm1(log_decay) : terms;
  return static_cast<float>(1 / std::sqrt(sum));
}

// Computes retention for one head of one sequence.
class Head {
 public:
  Head(const RetentionArgs& args, const RetentionSequence& sequence, int64_t head)
      : args_(args),
        sequence_(sequence),
        head_(head),
        log_decay_(args.log_decay[static_cast<size_t>(head)]),
        floats_(RetentionHeadFloats(args.key_size, args.value_size)),
        state_(sequence.next + head * floats_) {
    std::copy_n(sequence.state + head * floats_, floats_, state_);
  }

  void Run() {
    for (int64_t t = 0; t < sequence_.tokens; ++t) {
      const int64_t slot = (sequence_.first_position + t) % kRetentionChunk;
      Write(t, slot);
      Retain(t, slot);
      if (slot + 1 == kRetentionChunk) FinishChunk();
    }
  }

 private:
  float& State(int64_t channel, int64_t column) {
    return state_[(column / kRetentionStrip * args_.key_size + channel) * kRetentionStrip +
                  column % kRetentionStrip];
  }
  float& Key(int64_t slot, int64_t channel) {
    return state_[RetentionKeysOffset(args_.key_size, args_.value_size) +
                  channel * kRetentionChunk + slot];
  }
  float& Value(int64_t slot, int64_t column) {
    return state_[RetentionValuesOffset(args_.key_size, args_.value_size) +
                  (column / kRetentionStrip * kRetentionChunk + slot) * kRetentionStrip +
                  column % kRetentionStrip];
  }

  void Write(int64_t t, int64_t slot) {
    const int64_t row = t * args_.heads + head_;
    for (int64_t c = 0; c < args_.key_size; ++c) {
      Key(slot, c) = sequence_.k[row * args_.key_size + c];
    }
    for (int64_t c = 0; c < args_.value_size; ++c) {
      Value(slot, c) = sequence_.v[row * args_.value_size + c];
    }
  }

  void Retain(int64_t t, int64_t slot) {
    const int64_t row = t * args_.heads + head_;
    const float* const q = sequence_.q + row * args_.key_size;
    float weights[kRetentionChunk];
    for (int64_t m = 0; m <= slot; ++m) {
      float product = 0;
      for (int64_t c = 0; c < args_.key_size; ++c) product += q[c] * Key(m, c);
      weights[m] = product * Power(log_decay_, slot - m);
    }
    const float decay = Power(log_decay_, slot + 1);
    const float normalizer = Normalizer(args_, log_decay_, sequence_.first_position + t);
    for (int64_t column = 0; column < args_.value_size; ++column) {
      float sum = 0;
      for (int64_t c = 0; c < args_.key_size; ++c) sum += q[c] * State(c, column);
      sum *= decay;
      for (int64_t m = 0; m <= slot; ++m) sum += weights[m] * Value(m, column);
      sequence_.out[row * args_.value_size + column] = sum * normalizer;
    }
  }

  void FinishChunk() {
    const float decay = Power(log_decay_, kRetentionChunk);
    for (int64_t c = 0; c < args_.key_size; ++c) {
      float keys[kRetentionChunk];
      for (int64_t m = 0; m < kRetentionChunk; ++m) {
        keys[m] = Key(m, c) * Power(log_decay_, kRetentionChunk - 1 - m);
      }
      for (int64_t column = 0; column < args_.value_size; ++column) {
        float sum = State(c, column) * decay;
        for (int64_t m = 0; m < kRetentionChunk; ++m) sum += keys[m] * Value(m, column);
        State(c, column) = sum;
      }
    }
    std::fill(state_ + RetentionKeysOffset(args_.key_size, args_.value_size), state_ + floats_,
              0.0F);
  }

  const RetentionArgs& args_;
  const RetentionSequence& sequence_;
  int64_t head_;
  double log_decay_;
  int64_t floats_;
  float* state_;
};

}  // namespace

void Retention(const RetentionArgs& args, ThreadPool& threads) noexcept {
  const auto sequences = static_cast<int64_t>(args.sequences.size());
  threads.ParallelFor(sequences * args.heads, [&](int64_t task, int) {
    Head(args, args.sequences[static_cast<size_t>(task / args.heads)], task % args.heads).Run();
  });
}

void ParallelRetention(const RetentionArgs& args) noexcept {
  for (const RetentionSequence& sequence : args.sequences) {
    for (int64_t n = sequence.tokens - 1; n >= 0; --n) {  // backwards: out may be v
      for (int64_t h = 0; h < args.heads; ++h) {
        const double log_decay = args.log_decay[static_cast<size_t>(h)];
        const float normalizer = Normalizer(args, log_decay, n);
        const float* const q = sequence.q + (n * args.heads + h) * args.key_size;
        for (int64_t column = 0; column < args.value_size; ++column) {
          float sum = 0;
          for (int64_t m = 0; m <= n; ++m) {
            const int64_t row = m * args.heads + h;
            sum += Dot(q, sequence.k + row * args.key_size, args.key_size) *
                   Power(log_decay, n - m) * sequence.v[row * args.value_size + column];
          }
          sequence.out[(n * args.heads + h) * args.value_size + column] = sum * normalizer;
        }
      }
    }
  }
}

void RecurrentRetention(const RetentionArgs& args) noexcept {
  const int64_t floats = args.key_size * args.value_size;
  for (const RetentionSequence& sequence : args.sequences) {
    std::copy_n(sequence.state, args.heads * floats, sequence.next);
    for (int64_t t = 0; t < sequence.tokens; ++t) {
      for (int64_t h = 0; h < args.heads; ++h) {
        const double log_decay = args.log_decay[static_cast<size_t>(h)];
        const float decay = Power(log_decay, 1);
        const float normalizer = Normalizer(args, log_decay, sequence.first_position + t);
        const int64_t row = t * args.heads + h;
        float* const state = sequence.next + h * floats;
        for (int64_t column = 0; column < args.value_size; ++column) {
          const float value = sequence.v[row * args.value_size + column];
          float sum = 0;
          for (int64_t c = 0; c < args.key_size; ++c) {
            float& s = state[c * args.value_size + column];
            s = decay * s + sequence.k[row * args.key_size + c] * value;
            sum += sequence.q[row * args.key_size + c] * s;
          }
          sequence.out[row * args.value_size + column] = sum * normalizer;
        }
      }
    }
  }
}

void RetentionGate(const RetentionGateArgs& args, ThreadPool& threads) noexcept {
  threads.ParallelFor(args.tokens * args.heads, [&](int64_t row, int) {
    const float* const x = args.x + row * args.width;
    const float* const gate = args.gate + row * args.width;
    double squares = 0;
    for (int64_t i = 0; i < args.width; ++i) squares += double{x[i]} * x[i];
    const double mean = squares / static_cast<double>(args.width);
    const auto factor = static_cast<float>(1.0 / std::sqrt(mean + double{args.eps}));
    for (int64_t i = 0; i < args.width; ++i) {
      const float weight = args.weight != nullptr ? args.weight[i] : 1;
      args.y[row * args.width + i] =
          Activate(Activation::kSilu, gate[i]) * (weight * (x[i] * factor));
    }
  });
}

}  // namespace tome::generic
