#include "tome/kernels/retention.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tome/kernels/simd/gemm.h"
#include "tome/kernels/simd/head_strips.h"
#include "tome/kernels/simd/math.h"
#include "tome/kernels/simd/norm.h"
#include "tome/kernels/simd/set.h"

namespace tome::TOME_KERNEL_SET {
namespace {

constexpr int64_t kChunk = kRetentionChunk;
constexpr int64_t kStrip = kRetentionStrip;
constexpr int64_t kStripVectors = kStrip / kLanes;
constexpr int64_t kChunkVectors = kChunk / kLanes;

const std::byte* Bytes4(const float* p) { return reinterpret_cast<const std::byte*>(p); }

// Computes some strips of one head of one sequence (head_strips.h).
class HeadStrips {
 public:
  HeadStrips(const RetentionArgs& args, const RetentionSequence& sequence, int64_t head,
             int64_t strip_begin, int64_t strip_end)
      : args_(args),
        sequence_(sequence),
        head_(head),
        strip_begin_(strip_begin),
        strip_end_(strip_end),
        log_decay_(args.log_decay[static_cast<size_t>(head)]) {
    const int64_t floats = RetentionHeadFloats(args.key_size, args.value_size);
    before_ = sequence.state + head * floats;
    state_ = sequence.next + head * floats;
    for (int64_t i = 0; i <= kChunk; ++i) {
      falling_[i] = static_cast<float>(std::exp(log_decay_ * static_cast<double>(kChunk - i)));
    }
    std::fill_n(falling_ + kChunk + 1, kChunk - 1, 0.0F);
  }

  void Run() {
    std::memcpy(keys_, before_ + KeysOffset(), Size(args_.key_size * kChunk));
    for (int64_t strip = strip_begin_; strip < strip_end_; ++strip) {
      const int64_t state = strip * args_.key_size * kStrip;
      std::memcpy(state_ + state, before_ + state, Size(args_.key_size * kStrip));
      const int64_t values = ValuesOffset() + strip * kChunk * kStrip;
      std::memcpy(state_ + values, before_ + values, Size(kChunk * kStrip));
    }
    int64_t done = 0;
    while (done < sequence_.tokens) {
      const int64_t slot = (sequence_.first_position + done) % kChunk;
      const int64_t tokens = std::min(kChunk - slot, sequence_.tokens - done);
      RetainTokens(done, slot, tokens);
      if (slot + tokens == kChunk) FinishChunk();
      done += tokens;
    }
    if (strip_begin_ == 0) {
      std::memcpy(state_ + KeysOffset(), keys_, Size(args_.key_size * kChunk));
    }
  }

 private:
  static size_t Size(int64_t floats) { return static_cast<size_t>(floats) * sizeof(float); }
  int64_t KeysOffset() const { return RetentionKeysOffset(args_.key_size, args_.value_size); }
  int64_t ValuesOffset() const { return RetentionValuesOffset(args_.key_size, args_.value_size); }
  float* StripState(int64_t strip) { return state_ + strip * args_.key_size * kStrip; }
  float* StripValues(int64_t strip) { return state_ + ValuesOffset() + strip * kChunk * kStrip; }

  // Returns γ^exponent for exponents from 0 to kChunk.
  float Power(int64_t exponent) const { return falling_[kChunk - exponent]; }

  float Normalizer(int64_t position) const {
    if (!args_.normalize) return 1;
    const auto terms = static_cast<double>(position + 1);
    const double sum =
        log_decay_ < 0 ? std::expm1(log_decay_ * terms) / std::expm1(log_decay_) : terms;
    return static_cast<float>(1 / std::sqrt(sum));
  }

  // Computes tokens [first, first + tokens) of the pass, which lie in one chunk from `slot` on.
  void RetainTokens(int64_t first, int64_t slot, int64_t tokens) {
    const int64_t key_size = args_.key_size;
    const int64_t value_size = args_.value_size;
    const int64_t row = args_.heads * key_size;
    const float* const q = sequence_.q + first * row + head_ * key_size;
    const float* const k = sequence_.k + first * row + head_ * key_size;
    for (int64_t c = 0; c < key_size; ++c) {
      float* const keys = keys_ + c * kChunk + slot;
      for (int64_t t = 0; t < tokens; ++t) keys[t] = k[t * row + c];
    }
    alignas(64) float weights[kChunk * kChunk];
    Gemm<F32Dot>({.a = Bytes4(q),
                  .a_row = row * 4,
                  .a_block = kRowBlock * 4,
                  .b = Bytes4(keys_),
                  .b_step = kChunk * 4,
                  .b_vector = kVectorBytes,
                  .c = weights,
                  .c_row = kChunk,
                  .steps = key_size},
                 tokens, kChunkVectors);
    for (int64_t t = 0; t < tokens; ++t) {
      const int64_t j = slot + t;
      for (int64_t m = 0; m < kChunk; m += kLanes) {
        float* const w = weights + t * kChunk + m;
        const F32 decayed = Mul(Load(w), Load(falling_ + kChunk - j + m));
        // Later tokens are hidden from a token. Select drops them even where they are NaN.
        Store(w, Select(0, std::clamp<int64_t>(j + 1 - m, 0, kLanes), decayed, Zero()));
      }
    }
    float factors[kChunk];
    for (int64_t t = 0; t < tokens; ++t) {
      factors[t] = Normalizer(sequence_.first_position + first + t);
    }
    for (int64_t strip = strip_begin_; strip < strip_end_; ++strip) {
      const int64_t columns = std::min(kStrip, value_size - strip * kStrip);
      const int64_t at = (first * args_.heads + head_) * value_size + strip * kStrip;
      const int64_t step = args_.heads * value_size;
      float* const values = StripValues(strip);
      for (int64_t t = 0; t < tokens; ++t) {
        std::memcpy(values + (slot + t) * kStrip, sequence_.v + at + t * step, Size(columns));
      }
      alignas(64) float sums[kChunk * kStrip];
      Gemm<F32Dot>({.a = Bytes4(q),
                    .a_row = row * 4,
                    .a_block = kRowBlock * 4,
                    .b = Bytes4(StripState(strip)),
                    .b_step = kStrip * 4,
                    .b_vector = kVectorBytes,
                    .c = sums,
                    .c_row = kStrip,
                    .steps = key_size},
                   tokens, kStripVectors);
      for (int64_t t = 0; t < tokens; ++t) Scale(sums + t * kStrip, kStrip, Power(slot + t + 1));
      Gemm<F32Dot>({.a = Bytes4(weights),
                    .a_row = kChunk * 4,
                    .a_block = kRowBlock * 4,
                    .b = Bytes4(values),
                    .b_step = kStrip * 4,
                    .b_vector = kVectorBytes,
                    .c = sums,
                    .c_row = kStrip,
                    .steps = kChunk,
                    .add = true},
                   tokens, kStripVectors);
      for (int64_t t = 0; t < tokens; ++t) {
        const F32 factor = Set(factors[t]);
        for (int64_t c = 0; c < columns; c += kLanes) {
          StoreFirst(sequence_.out + at + t * step + c, Mul(Load(sums + t * kStrip + c), factor),
                     columns - c);
        }
      }
    }
  }

  void FinishChunk() {
    for (int64_t c = 0; c < args_.key_size; ++c) {
      for (int64_t m = 0; m < kChunk; m += kLanes) {
        float* const key = keys_ + c * kChunk + m;
        Store(key, Mul(Load(key), Load(falling_ + 1 + m)));
      }
    }
    for (int64_t strip = strip_begin_; strip < strip_end_; ++strip) {
      float* const state = StripState(strip);
      Scale(state, args_.key_size * kStrip, Power(kChunk));
      Gemm<F32Dot>({.a = Bytes4(keys_),
                    .a_row = kChunk * 4,
                    .a_block = kRowBlock * 4,
                    .b = Bytes4(StripValues(strip)),
                    .b_step = kStrip * 4,
                    .b_vector = kVectorBytes,
                    .c = state,
                    .c_row = kStrip,
                    .steps = kChunk,
                    .add = true},
                   args_.key_size, kStripVectors);
      std::memset(StripValues(strip), 0, Size(kChunk * kStrip));
    }
    std::memset(keys_, 0, Size(args_.key_size * kChunk));
  }

  static void Scale(float* x, int64_t size, float factor) {
    const F32 f = Set(factor);
    for (int64_t i = 0; i < size; i += kLanes) Store(x + i, Mul(Load(x + i), f));
  }

  const RetentionArgs& args_;
  const RetentionSequence& sequence_;
  int64_t head_;
  int64_t strip_begin_;
  int64_t strip_end_;
  double log_decay_;
  const float* before_ = nullptr;
  float* state_ = nullptr;
  alignas(64) float falling_[2 * kChunk];  // γ^B, …, γ, 1, then zeros
  alignas(64) float keys_[kMaxRetentionKey * kChunk];
};

}  // namespace

void Retention(const RetentionArgs& args, ThreadPool& threads) noexcept {
  const int64_t heads = static_cast<int64_t>(args.sequences.size()) * args.heads;
  ForHeadStrips(heads, RetentionStrips(args.value_size), threads,
                [&](int64_t head, int64_t begin, int64_t end) {
                  HeadStrips(args, args.sequences[static_cast<size_t>(head / args.heads)],
                             head % args.heads, begin, end)
                      .Run();
                });
}

void RetentionGate(const RetentionGateArgs& args, ThreadPool& threads) noexcept {
  threads.ParallelFor(args.tokens, [&](int64_t t, int) {
    for (int64_t row = t * args.heads; row < (t + 1) * args.heads; ++row) {
      const float* const x = args.x + row * args.width;
      const float* const gate = args.gate + row * args.width;
      float* const y = args.y + row * args.width;
      const F32 factor = Set(RmsFactor(x, args.width, args.eps));
      for (int64_t i = 0; i < args.width; i += kLanes) {
        const int64_t left = args.width - i;
        F32 normalized = Mul(LoadFirst(x + i, left), factor);
        if (args.weight != nullptr) normalized = Mul(LoadFirst(args.weight + i, left), normalized);
        StoreFirst(y + i, Mul(Silu(LoadFirst(gate + i, left)), normalized), left);
      }
    }
  });
}

}  // namespace tome::TOME_KERNEL_SET
