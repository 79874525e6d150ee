#include "tome/kernels/attention.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "tome/kernels/generic/dot.h"
#include "tome/kernels/generic/generic.h"
#include "tome/tensor/float16.h"

namespace tome::generic {
namespace {

using HeadVector = std::array<float, kMaxHeadSize>;

// Element `index` of a page as float.
void ReadVector(KvType type, const std::byte* page, int64_t offset, int64_t size, float* out) {
  if (type == KvType::kF32) {
    std::memcpy(out, page + offset * 4, static_cast<size_t>(size) * 4);
    return;
  }
  for (int64_t i = 0; i < size; ++i) {
    uint16_t bits = 0;
    std::memcpy(&bits, page + (offset + i) * 2, 2);
    out[i] = FloatFromF16(bits);
  }
}

void WriteVector(KvType type, std::byte* page, int64_t offset, int64_t size, const float* in) {
  if (type == KvType::kF32) {
    std::memcpy(page + offset * 4, in, static_cast<size_t>(size) * 4);
    return;
  }
  for (int64_t i = 0; i < size; ++i) {
    const uint16_t bits = F16FromFloat(in[i]);
    std::memcpy(page + (offset + i) * 2, &bits, 2);
  }
}

// Softmax over blocks seen so far: weights are kept relative to the largest score.
struct OnlineSoftmax {
  float largest = -std::numeric_limits<float>::infinity();
  float total = 0;
  HeadVector sum;  // Σ weight · value
};

// Scores of positions [begin, end) of one page, then their values into the running softmax.
void AttendPage(const AttentionArgs& args, int64_t page, int64_t begin, int64_t end, int64_t group,
                const float* q, OnlineSoftmax& softmax) {
  const int64_t size = args.head_size;
  const std::byte* keys = args.kv.keys[static_cast<size_t>(page)];
  const std::byte* values = args.kv.values[static_cast<size_t>(page)];
  const auto offset = [&](int64_t slot) { return (group * kKvPageTokens + slot) * size; };
  std::array<float, kKvPageTokens> scores;
  HeadVector row;
  float largest = softmax.largest;
  for (int64_t slot = begin; slot < end; ++slot) {
    ReadVector(args.kv.type, keys, offset(slot), size, row.data());
    float score = args.scale * Dot(q, row.data(), size);
    if (args.soft_cap > 0) score = args.soft_cap * std::tanh(score / args.soft_cap);
    scores[static_cast<size_t>(slot)] = score;
    largest = std::max(largest, score);
  }
  const float shrink = std::exp(softmax.largest - largest);  // 0 for the first block
  softmax.largest = largest;
  softmax.total *= shrink;
  for (int64_t i = 0; i < size; ++i) softmax.sum[static_cast<size_t>(i)] *= shrink;
  for (int64_t slot = begin; slot < end; ++slot) {
    const float weight = std::exp(scores[static_cast<size_t>(slot)] - largest);
    softmax.total += weight;
    ReadVector(args.kv.type, values, offset(slot), size, row.data());
    for (int64_t i = 0; i < size; ++i) {
      softmax.sum[static_cast<size_t>(i)] += weight * row[static_cast<size_t>(i)];
    }
  }
}

void AttendHead(const AttentionArgs& args, int64_t t, int64_t head) {
  const int64_t position = args.first_position + t;
  const int64_t first =
      args.window > 0 ? std::max<int64_t>(0, position - args.window + 1) : int64_t{0};
  const int64_t group = head / (args.heads / args.kv_heads);
  const int64_t at = (t * args.heads + head) * args.head_size;
  OnlineSoftmax softmax;
  std::fill_n(softmax.sum.begin(), args.head_size, 0.0F);
  for (int64_t page = first / kKvPageTokens; page * kKvPageTokens <= position; ++page) {
    const int64_t base = page * kKvPageTokens;
    AttendPage(args, page, std::max<int64_t>(first - base, 0),
               std::min(position + 1 - base, kKvPageTokens), group, args.q + at, softmax);
  }
  for (int64_t i = 0; i < args.head_size; ++i) {
    args.out[at + i] = softmax.sum[static_cast<size_t>(i)] / softmax.total;
  }
}

}  // namespace

void WriteKv(const KvWriteArgs& args) noexcept {
  for (int64_t t = 0; t < args.tokens; ++t) {
    const int64_t position = args.first_position + t;
    const auto page = static_cast<size_t>(position / kKvPageTokens);
    for (int64_t g = 0; g < args.kv_heads; ++g) {
      const int64_t from = (t * args.kv_heads + g) * args.head_size;
      const int64_t to = (g * kKvPageTokens + position % kKvPageTokens) * args.head_size;
      WriteVector(args.type, args.keys[page], to, args.head_size, args.k + from);
      WriteVector(args.type, args.values[page], to, args.head_size, args.v + from);
    }
  }
}

void Attention(const AttentionArgs& args, ThreadPool& threads) noexcept {
  threads.ParallelFor(args.tokens * args.heads, [&](int64_t task, int) {
    AttendHead(args, task / args.heads, task % args.heads);
  });
}

}  // namespace tome::generic
