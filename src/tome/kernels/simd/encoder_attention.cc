#include "tome/kernels/encoder_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tome/kernels/simd/gemm.h"
#include "tome/kernels/simd/math.h"
#include "tome/kernels/simd/set.h"

namespace tome::TOME_KERNEL_SET {
namespace {

// Queries whose scores are computed together. The scores of 512 keys then take 64 KiB, an eighth of
// an L2 cache.
constexpr int64_t kQueries = 32;
constexpr float kLog2E = 1.44269504088896341F;

int64_t InVectors(int64_t columns) { return (columns + kLanes - 1) / kLanes; }

// The scratch of one worker, in floats.
struct Layout {
  int64_t keys = 0;    // keys of one head, transposed: [vectors of tokens][head size][kLanes]
  int64_t scores = 0;  // [kQueries, tokens in whole vectors]
  int64_t sums = 0;    // [kQueries, head size in whole vectors]
  int64_t values = 0;  // values of one head: [tokens, head size in whole vectors]
  int64_t floats() const { return keys + scores + sums + values; }
};

Layout LayoutFor(const EncoderAttentionArgs& args) {
  int64_t most = 0;
  for (const EncoderAttentionSequence& sequence : args.sequences) {
    most = std::max(most, sequence.keys);
  }
  const int64_t tokens = InVectors(most) * kLanes;
  const int64_t columns = InVectors(args.head_size) * kLanes;
  return {.keys = tokens * args.head_size,
          .scores = kQueries * tokens,
          .sums = kQueries * columns,
          .values = args.head_size % kLanes == 0 ? 0 : tokens * columns};
}

// One head of one sequence.
struct Head {
  const EncoderAttentionArgs& args;
  const EncoderAttentionSequence& sequence;
  int64_t head = 0;
  float* keys = nullptr;
  float* scores = nullptr;
  float* sums = nullptr;
  const float* values = nullptr;
  int64_t value_stride = 0;
  int64_t tokens = 0;  // keys in whole vectors
};

// Transposes keys, kLanes tokens at a time. Tokens behind the last one count as zero.
void PackKeys(const float* k, int64_t stride, int64_t tokens, int64_t size, float* out) {
  for (int64_t first = 0; first < tokens; first += kLanes) {
    const int64_t count = std::min<int64_t>(kLanes, tokens - first);
    float* const panel = out + first * size;
    for (int64_t t = 0; t < kLanes; ++t) {
      for (int64_t i = 0; i < size; ++i) {
        panel[i * kLanes + t] = t < count ? k[(first + t) * stride + i] : 0.0F;
      }
    }
  }
}

// Copies values whose head size is no whole number of vectors, with zeros behind each row.
void PackValues(const float* v, int64_t stride, int64_t tokens, int64_t size, float* out) {
  const int64_t columns = InVectors(size) * kLanes;
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t i = 0; i < columns; ++i) {
      out[t * columns + i] = i < size ? v[t * stride + i] : 0.0F;
    }
  }
}

// Subtracts slope · |position − j| · log2 e from the scores of keys j in [begin, end).
void AddDistances(float* scores, int64_t begin, int64_t end, int64_t position, float slope) {
  for (int64_t j = begin; j < end; ++j) {
    scores[j] -= slope * static_cast<float>(std::abs(position - j));
  }
}

// Turns a row of products into weights e^(score − largest) and returns their sum. Weights before
// `begin` and from `end` to the end of a vector become zero.
float SoftmaxRow(const Head& h, float* row, int64_t begin, int64_t end, int64_t position) {
  const int64_t first = begin / kLanes * kLanes;
  F32 most = Set(-std::numeric_limits<float>::infinity());
  const F32 scale = Set(h.args.scale * kLog2E);
  const bool scaled = h.args.slopes != nullptr;
  if (scaled) {
    for (int64_t j = first; j < end; j += kLanes) Store(row + j, Mul(Load(row + j), scale));
    AddDistances(row, begin, end, position, h.args.slopes[h.head] * kLog2E);
  }
  for (int64_t j = first; j < end; j += kLanes) {
    most = Max(most, Select(begin - j, end - j, Load(row + j), most));
  }
  const float largest = Largest(most);
  const F32 factor = scaled ? Set(1) : scale;
  const F32 offset = Set(scaled ? largest : largest * h.args.scale * kLog2E);
  F32 total = Zero();
  for (int64_t j = first; j < end; j += kLanes) {
    const F32 weight = Exp2(Sub(Mul(Load(row + j), factor), offset));
    const F32 kept = Select(begin - j, end - j, weight, Zero());
    total = Add(total, kept);
    Store(row + j, kept);
  }
  return Sum(total);
}

// Computes `queries` queries from `first` on.
void AttendQueries(const Head& h, int64_t first, int64_t queries) {
  const EncoderAttentionArgs& args = h.args;
  const EncoderAttentionSequence& s = h.sequence;
  const int64_t size = args.head_size;
  const int64_t columns = InVectors(size);
  const int64_t position = s.first_query + first;
  const int64_t reach = args.window > 0 ? args.window : s.keys;
  // The keys of any of these queries, from a whole vector on.
  const int64_t begin = std::max<int64_t>(0, position - reach) / kLanes * kLanes;
  const int64_t end = std::min(s.keys, position + queries - 1 + reach + 1);
  const float* const q = args.q + (s.query_begin + first) * args.q_stride + h.head * size;
  Gemm<F32Dot>({.a = reinterpret_cast<const std::byte*>(q),
                .a_row = args.q_stride * 4,
                .a_block = F32Dot::kStepsPerBlock * 4,
                .b = reinterpret_cast<const std::byte*>(h.keys + begin * size),
                .b_step = kLanes * 4,
                .b_vector = size * kLanes * 4,
                .c = h.scores + begin,
                .c_row = h.tokens,
                .steps = size},
               queries, InVectors(end - begin));
  float totals[kQueries];
  for (int64_t i = 0; i < queries; ++i) {
    float* const row = h.scores + i * h.tokens;
    const int64_t from = std::max<int64_t>(begin, position + i - reach);
    const int64_t to = std::min(s.keys, position + i + reach + 1);
    totals[i] = SoftmaxRow(h, row, from, to, position + i);
    std::fill(row + begin, row + std::max(begin, from / kLanes * kLanes), 0.0F);
    std::fill(row + std::min(InVectors(to) * kLanes, h.tokens), row + InVectors(end) * kLanes,
              0.0F);
  }
  Gemm<F32Dot>({.a = reinterpret_cast<const std::byte*>(h.scores + begin),
                .a_row = h.tokens * 4,
                .a_block = F32Dot::kStepsPerBlock * 4,
                .b = reinterpret_cast<const std::byte*>(h.values + begin * h.value_stride),
                .b_step = h.value_stride * 4,
                .b_vector = kLanes * 4,
                .c = h.sums,
                .c_row = columns * kLanes,
                .steps = end - begin},
               queries, columns);
  for (int64_t i = 0; i < queries; ++i) {
    float* const y = args.y + ((s.query_begin + first + i) * args.heads + h.head) * size;
    const F32 inverse = Set(1 / totals[i]);
    for (int64_t c = 0; c < size; c += kLanes) {
      StoreFirst(y + c, Mul(Load(h.sums + i * columns * kLanes + c), inverse), size - c);
    }
  }
}

void AttendHead(const EncoderAttentionArgs& args, const EncoderAttentionSequence& sequence,
                int64_t head, const Layout& layout, float* scratch) {
  const int64_t size = args.head_size;
  const int64_t kv_head = head / (args.heads / args.kv_heads);
  const int64_t at = sequence.key_begin * args.kv_stride + kv_head * size;
  Head h{.args = args,
         .sequence = sequence,
         .head = head,
         .keys = scratch,
         .scores = scratch + layout.keys,
         .sums = scratch + layout.keys + layout.scores,
         .values = args.v + at,
         .value_stride = args.kv_stride,
         .tokens = InVectors(sequence.keys) * kLanes};
  PackKeys(args.k + at, args.kv_stride, sequence.keys, size, h.keys);
  if (layout.values > 0) {
    float* const values = h.sums + layout.sums;
    PackValues(args.v + at, args.kv_stride, sequence.keys, size, values);
    h.values = values;
    h.value_stride = InVectors(size) * kLanes;
  }
  for (int64_t first = 0; first < sequence.queries; first += kQueries) {
    AttendQueries(h, first, std::min(kQueries, sequence.queries - first));
  }
}

}  // namespace

int64_t EncoderAttentionScratch(const EncoderAttentionArgs& args, int threads) noexcept {
  return threads * LayoutFor(args).floats() * static_cast<int64_t>(sizeof(float));
}

void EncoderAttention(const EncoderAttentionArgs& args, ThreadPool& threads) noexcept {
  const auto sequences = static_cast<int64_t>(args.sequences.size());
  const Layout layout = LayoutFor(args);
  threads.ParallelFor(sequences * args.heads, [&](int64_t task, int worker) {
    AttendHead(args, args.sequences[static_cast<size_t>(task / args.heads)], task % args.heads,
               layout, reinterpret_cast<float*>(args.scratch) + worker * layout.floats());
  });
}

}  // namespace tome::TOME_KERNEL_SET
