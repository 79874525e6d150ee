#include "tome/kernels/compressive.h"

#include <algorithm>
#include <cmath>

#include "tome/kernels/attention.h"
#include "tome/kernels/generic/generic.h"

namespace tome::generic {
namespace {

float EluPlusOne(float x) { return x > 0 ? x + 1 : std::exp(x); }

// The memory of one key head, and the sums of the unfinished segment.
struct HeadMemory {
  float* matrix;          // M
  float* normalizer;      // z
  float* new_matrix;      // ΔM
  float* new_normalizer;  // Δz
};

HeadMemory MemoryAt(float* state, int64_t head_size) {
  const int64_t matrix = CompressiveMatrixFloats(head_size);
  const int64_t vector = CompressiveVectorFloats(head_size);
  return {state, state + matrix, state + matrix + vector, state + 2 * matrix + vector};
}

// Returns the index of an element of a matrix.
int64_t At(int64_t head_size, int64_t channel, int64_t column) {
  return (column / kCompressiveStrip * head_size + channel) * kCompressiveStrip +
         column % kCompressiveStrip;
}

// Writes σ(x) M / max(σ(x) · z, eps) to `out` [head_size]. `features` is σ(x).
void Retrieve(const HeadMemory& memory, const float* features, int64_t head_size, float eps,
              float* out) {
  float total = 0;
  for (int64_t c = 0; c < head_size; ++c) total += features[c] * memory.normalizer[c];
  for (int64_t column = 0; column < head_size; ++column) {
    float sum = 0;
    for (int64_t c = 0; c < head_size; ++c) {
      sum += features[c] * memory.matrix[At(head_size, c, column)];
    }
    out[column] = sum / std::max(total, eps);
  }
}

void RunHead(const CompressiveArgs& args, const CompressiveSequence& sequence, int64_t kv_head) {
  const int64_t size = args.head_size;
  const int64_t group = args.heads / args.kv_heads;
  const int64_t floats = CompressiveHeadFloats(size);
  float* const state = sequence.next + kv_head * floats;
  std::copy_n(sequence.state + kv_head * floats, floats, state);
  const HeadMemory memory = MemoryAt(state, size);
  float features[kMaxHeadSize];
  float recalled[kMaxHeadSize];
  for (int64_t t = 0; t < sequence.tokens; ++t) {
    for (int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
      const int64_t at = (t * args.heads + head) * size;
      for (int64_t c = 0; c < size; ++c) features[c] = EluPlusOne(sequence.q[at + c]);
      Retrieve(memory, features, size, args.eps, recalled);
      const float gate = args.gates[static_cast<size_t>(head)];
      for (int64_t c = 0; c < size; ++c) {
        sequence.out[at + c] = gate * recalled[c] + (1 - gate) * sequence.local[at + c];
      }
    }
    const int64_t at = (t * args.kv_heads + kv_head) * size;
    for (int64_t c = 0; c < size; ++c) features[c] = EluPlusOne(sequence.k[at + c]);
    std::fill_n(recalled, size, 0.0F);
    if (args.delta) Retrieve(memory, features, size, args.eps, recalled);
    for (int64_t c = 0; c < size; ++c) {
      for (int64_t column = 0; column < size; ++column) {
        memory.new_matrix[At(size, c, column)] +=
            features[c] * (sequence.v[at + column] - recalled[column]);
      }
      memory.new_normalizer[c] += features[c];
    }
  }
  if (!sequence.ends_segment) return;
  const int64_t half = floats / 2;
  for (int64_t i = 0; i < half; ++i) state[i] += state[half + i];
  std::fill_n(state + half, half, 0.0F);
}

}  // namespace

void Compressive(const CompressiveArgs& args, ThreadPool& threads) noexcept {
  const auto sequences = static_cast<int64_t>(args.sequences.size());
  threads.ParallelFor(sequences * args.kv_heads, [&](int64_t task, int) {
    RunHead(args, args.sequences[static_cast<size_t>(task / args.kv_heads)], task % args.kv_heads);
  });
}

}  // namespace tome::generic
