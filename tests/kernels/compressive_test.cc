#include "tome/kernels/compressive.h"

#include <gtest/gtest.h>

#include <cmath>
#include <span>

#include "tests/kernels/kernel_inputs.h"

namespace tome {
namespace {

struct CompressiveInputs {
  CompressiveInputs(int64_t q_heads, int64_t key_heads, int64_t size, int64_t count, unsigned seed)
      : heads(q_heads), kv_heads(key_heads), head_size(size), tokens(count) {
    std::mt19937 random(seed);
    q = RandomFloats(random, tokens * heads * size);
    k = RandomFloats(random, tokens * kv_heads * size);
    v = RandomFloats(random, tokens * kv_heads * size);
    local = RandomFloats(random, tokens * heads * size);
    for (int64_t h = 0; h < heads; ++h) {
      gates.push_back(1 / (1 + std::exp(static_cast<float>(h) - 1.5F)));
    }
  }
  int64_t StateFloats() const { return kv_heads * CompressiveHeadFloats(head_size); }

  int64_t heads, kv_heads, head_size, tokens;
  std::vector<float> q, k, v, local, gates;
};

struct Result {
  std::vector<float> out;
  std::vector<float> state;
};

// Reads the inputs in segments, each in passes of at most `cut` tokens.
Result Read(const KernelSet& kernels, const CompressiveInputs& in, int64_t segment, bool delta,
            int64_t cut, int threads = 1) {
  ThreadPool pool(threads);
  Result result{std::vector<float>(in.q.size(), kNaN), std::vector<float>(Count(in.StateFloats()))};
  const int64_t q_width = in.heads * in.head_size;
  const int64_t kv_width = in.kv_heads * in.head_size;
  int64_t tokens = 0;
  for (int64_t first = 0; first < in.tokens; first += tokens) {
    tokens = std::min({cut, in.tokens - first, segment - first % segment});
    std::vector<float> next(result.state.size(), kNaN);  // must be overwritten
    const CompressiveSequence sequence{.q = in.q.data() + first * q_width,
                                       .k = in.k.data() + first * kv_width,
                                       .v = in.v.data() + first * kv_width,
                                       .local = in.local.data() + first * q_width,
                                       .out = result.out.data() + first * q_width,
                                       .state = result.state.data(),
                                       .next = next.data(),
                                       .tokens = tokens,
                                       .ends_segment = (first + tokens) % segment == 0};
    kernels.compressive({.sequences = {&sequence, 1},
                         .heads = in.heads,
                         .kv_heads = in.kv_heads,
                         .head_size = in.head_size,
                         .gates = in.gates,
                         .delta = delta,
                         .eps = 1e-6F},
                        pool);
    result.state = next;
  }
  return result;
}

double Feature(double x) { return x > 0 ? x + 1 : std::exp(x); }

// Evaluates the paper's formulas in double precision, segment by segment.
std::vector<double> Evaluate(const CompressiveInputs& in, int64_t segment, bool delta) {
  const size_t size = Count(in.head_size);
  const int64_t group = in.heads / in.kv_heads;
  std::vector<double> out(in.q.size());
  for (int64_t g = 0; g < in.kv_heads; ++g) {
    std::vector<double> memory(size * size);
    std::vector<double> normalizer(size);
    const auto recall = [&](const float* x, size_t column) {
      double sum = 0;
      double total = 0;
      for (size_t c = 0; c < size; ++c) {
        sum += Feature(x[c]) * memory[c * size + column];
        total += Feature(x[c]) * normalizer[c];
      }
      return total > 0 ? sum / total : 0;
    };
    for (int64_t begin = 0; begin < in.tokens; begin += segment) {
      const int64_t end = std::min(begin + segment, in.tokens);
      for (int64_t t = begin; t < end; ++t) {
        for (int64_t h = g * group; h < (g + 1) * group; ++h) {
          const size_t at = Count((t * in.heads + h) * in.head_size);
          const double gate = in.gates[Count(h)];
          for (size_t i = 0; i < size; ++i) {
            out[at + i] = gate * recall(&in.q[at], i) + (1 - gate) * double{in.local[at + i]};
          }
        }
      }
      std::vector<double> new_memory = memory;
      std::vector<double> new_normalizer = normalizer;
      for (int64_t t = begin; t < end; ++t) {
        const size_t at = Count((t * in.kv_heads + g) * in.head_size);
        for (size_t i = 0; i < size; ++i) {
          const double value = double{in.v[at + i]} - (delta ? recall(&in.k[at], i) : 0);
          for (size_t c = 0; c < size; ++c) {
            new_memory[c * size + i] += Feature(in.k[at + c]) * value;
          }
        }
        for (size_t c = 0; c < size; ++c) new_normalizer[c] += Feature(in.k[at + c]);
      }
      memory = new_memory;
      normalizer = new_normalizer;
    }
  }
  return out;
}

class CompressiveTest : public KernelTest {};

TEST_P(CompressiveTest, AgreesWithThePaperInDoublePrecision) {
  for (const auto& [heads, kv_heads, size] :
       {std::array<int64_t, 3>{1, 1, 1}, {4, 2, 16}, {3, 1, 33}, {2, 2, 128}}) {
    for (const int64_t segment : {1, 16, 50, 64}) {
      const CompressiveInputs in(heads, kv_heads, size, 130, static_cast<unsigned>(size));
      for (const bool delta : {false, true}) {
        const std::vector<float> out = Read(kernels(), in, segment, delta, segment).out;
        const std::vector<double> expected = Evaluate(in, segment, delta);
        for (size_t i = 0; i < out.size(); ++i) {
          // A recalled value is a mean of values whose weights are all positive.
          ASSERT_NEAR(out[i], expected[i], 1e-5)
              << size << " channels, segments of " << segment << (delta ? ", delta" : "");
        }
      }
    }
  }
}

TEST_P(CompressiveTest, DoesNotDependOnHowTheTokensAreCutNorOnThreads) {
  const CompressiveInputs in(6, 2, 72, 150, 4);
  for (const bool delta : {false, true}) {
    const Result whole = Read(kernels(), in, 64, delta, 64);
    for (const int64_t cut : {1, 7, 32, 45}) {
      for (const int threads : {1, 4}) {
        const Result parts = Read(kernels(), in, 64, delta, cut, threads);
        EXPECT_TRUE(SameBits(parts.out, whole.out)) << "passes of " << cut;
        EXPECT_TRUE(SameBits(parts.state, whole.state)) << "passes of " << cut;
      }
    }
  }
}

TEST_P(CompressiveTest, TheFirstSegmentRecallsNothing) {
  const CompressiveInputs in(2, 1, 24, 20, 6);
  for (const bool delta : {false, true}) {
    const std::vector<float> out = Read(kernels(), in, 64, delta, 64).out;
    for (int64_t t = 0; t < in.tokens; ++t) {
      for (int64_t i = 0; i < 48; ++i) {
        const size_t at = Count(t * 48 + i);
        ASSERT_FLOAT_EQ(out[at], (1 - in.gates[Count(i / 24)]) * in.local[at]);
      }
    }
  }
}

TEST_P(CompressiveTest, ManySegmentsLeaveWhatIsRecalledAMean) {
  // The same segment is read again and again. The recalled values are the mean of its values
  // whatever the count, while the sums grow with it.
  const CompressiveInputs in(1, 1, 8, 256, 8);
  ThreadPool pool(1);
  std::vector<float> state(Count(in.StateFloats()));
  std::vector<float> next(state.size());
  std::vector<float> out(in.q.size());
  std::vector<float> second;
  for (int i = 0; i < 500; ++i) {
    const CompressiveSequence sequence{in.q.data(),     in.k.data(), in.v.data(),
                                       in.local.data(), out.data(),  state.data(),
                                       next.data(),     256,         true};
    kernels().compressive({.sequences = {&sequence, 1},
                           .heads = 1,
                           .kv_heads = 1,
                           .head_size = 8,
                           .gates = in.gates,
                           .delta = false,
                           .eps = 1e-6F},
                          pool);
    state.swap(next);
    if (i == 1) second = out;
  }
  for (size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(out[i], second[i], 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Sets, CompressiveTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
