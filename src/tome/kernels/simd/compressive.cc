#include "tome/kernels/compressive.h"

#include <algorithm>
#include <cstring>

#include "tome/kernels/attention.h"
#include "tome/kernels/simd/gemm.h"
#include "tome/kernels/simd/head_strips.h"
#include "tome/kernels/simd/math.h"
#include "tome/kernels/simd/set.h"

namespace tome::TOME_KERNEL_SET {
namespace {

constexpr int64_t kBlock = 32;  // tokens that are multiplied together
constexpr int64_t kStrip = kCompressiveStrip;
constexpr int64_t kStripVectors = kStrip / kLanes;

// For an A that is stored as [steps][rows]. With blocks of one step, a_row is the distance of the
// stored columns and a_block that of the stored rows.
struct TransposedDot : F32Dot {
  static constexpr int64_t kStepsPerBlock = 1;
};

const std::byte* BytesOf(const float* p) { return reinterpret_cast<const std::byte*>(p); }

F32 EluPlusOne(F32 x) { return SelectBelow(Zero(), x, Add(x, Set(1)), Exp(x)); }

// Computes some strips of one key head of one sequence (head_strips.h), for all query heads that
// share it.
class HeadStrips {
 public:
  HeadStrips(const CompressiveArgs& args, const CompressiveSequence& sequence, int64_t kv_head,
             int64_t strip_begin, int64_t strip_end)
      : args_(args),
        sequence_(sequence),
        kv_head_(kv_head),
        strip_begin_(strip_begin),
        strip_end_(strip_end) {
    const int64_t floats = CompressiveHeadFloats(args.head_size);
    before_ = sequence.state + kv_head * floats;
    state_ = sequence.next + kv_head * floats;
  }

  void Run() {
    const int64_t half = CompressiveHeadFloats(args_.head_size) / 2;
    for (int64_t strip = strip_begin_; strip < strip_end_; ++strip) {
      const int64_t at = strip * StripFloats();
      std::memcpy(state_ + at, before_ + at, Size(StripFloats()));
      std::memcpy(state_ + half + at, before_ + half + at, Size(StripFloats()));
    }
    if (strip_begin_ == 0) {
      const int64_t at = CompressiveMatrixFloats(args_.head_size);
      const int64_t vector = CompressiveVectorFloats(args_.head_size);
      std::memcpy(state_ + at, before_ + at, Size(vector));
      std::memcpy(state_ + half + at, before_ + half + at, Size(vector));
    }
    for (int64_t first = 0; first < sequence_.tokens; first += kBlock) {
      const int64_t tokens = std::min(kBlock, sequence_.tokens - first);
      const int64_t group = args_.heads / args_.kv_heads;
      for (int64_t h = 0; h < group; ++h) Mix(kv_head_ * group + h, first, tokens);
      Learn(first, tokens);
    }
    if (sequence_.ends_segment) Fold();
  }

 private:
  static size_t Size(int64_t floats) { return static_cast<size_t>(floats) * sizeof(float); }
  int64_t StripFloats() const { return args_.head_size * kStrip; }
  float* Matrix(int64_t strip) { return state_ + strip * StripFloats(); }
  float* NewMatrix(int64_t strip) {
    return Matrix(strip) + CompressiveHeadFloats(args_.head_size) / 2;
  }

  // Computes σ(x) of one head for some tokens, and for each token max(σ(x) · z, eps).
  void Features(const float* x, int64_t step, int64_t tokens) {
    const int64_t size = args_.head_size;
    // z is read from the state before, because the task of strip 0 may be writing the next one. It
    // does not change within a segment.
    const float* const normalizer = before_ + CompressiveMatrixFloats(size);
    for (int64_t t = 0; t < tokens; ++t) {
      F32 total = Zero();
      for (int64_t c = 0; c < size; c += kLanes) {
        const int64_t left = size - c;
        const F32 feature = EluPlusOne(LoadFirst(x + t * step + c, left));
        StoreFirst(features_ + t * size + c, feature, left);
        total = Fma(feature, Load(normalizer + c), total);  // z is zero after the head's channels
      }
      totals_[t] = std::max(Sum(total), args_.eps);
    }
  }

  // Sets sums_ to features · M, for one strip.
  void Retrieve(int64_t strip, int64_t tokens) {
    Gemm<F32Dot>({.a = BytesOf(features_),
                  .a_row = args_.head_size * 4,
                  .a_block = kRowBlock * 4,
                  .b = BytesOf(Matrix(strip)),
                  .b_step = kStrip * 4,
                  .b_vector = kVectorBytes,
                  .c = sums_,
                  .c_row = kStrip,
                  .steps = args_.head_size},
                 tokens, kStripVectors);
  }

  int64_t Columns(int64_t strip) const {
    return std::min(kStrip, args_.head_size - strip * kStrip);
  }

  void Mix(int64_t head, int64_t first, int64_t tokens) {
    const int64_t step = args_.heads * args_.head_size;
    const int64_t at = first * step + head * args_.head_size;
    Features(sequence_.q + at, step, tokens);
    const float gate = args_.gates[static_cast<size_t>(head)];
    const F32 rest = Set(1 - gate);
    for (int64_t strip = strip_begin_; strip < strip_end_; ++strip) {
      Retrieve(strip, tokens);
      for (int64_t t = 0; t < tokens; ++t) {
        const F32 factor = Set(gate / totals_[t]);
        const int64_t row = at + t * step + strip * kStrip;
        for (int64_t c = 0; c < Columns(strip); c += kLanes) {
          const int64_t left = Columns(strip) - c;
          const F32 recalled = Mul(Load(sums_ + t * kStrip + c), factor);
          StoreFirst(sequence_.out + row + c,
                     Fma(rest, LoadFirst(sequence_.local + row + c, left), recalled), left);
        }
      }
    }
  }

  void Learn(int64_t first, int64_t tokens) {
    const int64_t size = args_.head_size;
    const int64_t step = args_.kv_heads * size;
    const int64_t at = first * step + kv_head_ * size;
    Features(sequence_.k + at, step, tokens);
    for (int64_t strip = strip_begin_; strip < strip_end_; ++strip) {
      if (args_.delta) Retrieve(strip, tokens);
      for (int64_t t = 0; t < tokens; ++t) {
        const float* const v = sequence_.v + at + t * step + strip * kStrip;
        const F32 factor = Set(1 / totals_[t]);
        for (int64_t c = 0; c < kStrip; c += kLanes) {
          F32 value = LoadFirst(v + c, Columns(strip) - c);
          float* const sum = sums_ + t * kStrip + c;
          if (args_.delta) value = Fnma(Load(sum), factor, value);
          Store(sum, value);
        }
      }
      Gemm<TransposedDot>({.a = BytesOf(features_),
                           .a_row = 4,
                           .a_block = size * 4,
                           .b = BytesOf(sums_),
                           .b_step = kStrip * 4,
                           .b_vector = kVectorBytes,
                           .c = NewMatrix(strip),
                           .c_row = kStrip,
                           .steps = tokens,
                           .add = true},
                          size, kStripVectors);
    }
    if (strip_begin_ != 0) return;
    float* const normalizer =
        state_ + CompressiveHeadFloats(size) / 2 + CompressiveMatrixFloats(size);
    for (int64_t c = 0; c < size; c += kLanes) {
      const int64_t left = size - c;
      F32 sum = Load(normalizer + c);
      for (int64_t t = 0; t < tokens; ++t)
        sum = Add(sum, LoadFirst(features_ + t * size + c, left));
      Store(normalizer + c, sum);
    }
  }

  void Fold() {
    for (int64_t strip = strip_begin_; strip < strip_end_; ++strip) {
      AddAndClear(Matrix(strip), NewMatrix(strip), StripFloats());
    }
    if (strip_begin_ != 0) return;
    float* const normalizer = state_ + CompressiveMatrixFloats(args_.head_size);
    AddAndClear(normalizer, normalizer + CompressiveHeadFloats(args_.head_size) / 2,
                CompressiveVectorFloats(args_.head_size));
  }

  static void AddAndClear(float* to, float* from, int64_t size) {
    for (int64_t i = 0; i < size; i += kLanes) {
      Store(to + i, Add(Load(to + i), Load(from + i)));
      Store(from + i, Zero());
    }
  }

  const CompressiveArgs& args_;
  const CompressiveSequence& sequence_;
  int64_t kv_head_;
  int64_t strip_begin_;
  int64_t strip_end_;
  const float* before_ = nullptr;
  float* state_ = nullptr;
  float totals_[kBlock];
  alignas(64) float sums_[kBlock * kStrip];
  alignas(64) float features_[kBlock * kMaxHeadSize];
};

}  // namespace

void Compressive(const CompressiveArgs& args, ThreadPool& threads) noexcept {
  const int64_t heads = static_cast<int64_t>(args.sequences.size()) * args.kv_heads;
  ForHeadStrips(heads, CompressiveStrips(args.head_size), threads,
                [&](int64_t head, int64_t begin, int64_t end) {
                  HeadStrips(args, args.sequences[static_cast<size_t>(head / args.kv_heads)],
                             head % args.kv_heads, begin, end)
                      .Run();
                });
}

}  // namespace tome::TOME_KERNEL_SET
