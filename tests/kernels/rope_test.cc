#include "tome/kernels/rope.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/kernels/kernel_inputs.h"

namespace tome {
namespace {

struct Angles {
  std::vector<float> cos;
  std::vector<float> sin;
};

Angles RandomAngles(std::mt19937& random, int64_t size) {
  Angles angles;
  for (const float angle : RandomFloats(random, size, 10)) {
    angles.cos.push_back(std::cos(angle));
    angles.sin.push_back(std::sin(angle));
  }
  return angles;
}

struct Heads {
  int64_t tokens = 1;
  int64_t heads = 1;
  int64_t size = 2;
  int64_t rotary = 2;
  RopeLayout layout = RopeLayout::kHalfSplit;
};

std::vector<float> Turn(const KernelSet& kernels, const Heads& heads, std::vector<float> x,
                        const Angles& angles, int threads = 1) {
  ThreadPool pool(threads);
  kernels.rope({.x = x.data(),
                .cos = angles.cos.data(),
                .sin = angles.sin.data(),
                .tokens = heads.tokens,
                .heads = heads.heads,
                .head_size = heads.size,
                .rotary = heads.rotary,
                .layout = heads.layout},
               pool);
  return x;
}

class RopeKernelTest : public KernelTest {};

TEST_P(RopeKernelTest, AQuarterTurnByHand) {
  // Every pair (a, b) becomes (−b, a); channels that are not rotary stay.
  const Angles quarter{.cos = {0, 0}, .sin = {1, 1}};
  Heads heads{.size = 6, .rotary = 4, .layout = RopeLayout::kInterleaved};
  EXPECT_EQ(Turn(kernels(), heads, {1, 2, 3, 4, 5, 6}, quarter),
            (std::vector<float>{-2, 1, -4, 3, 5, 6}));
  heads.layout = RopeLayout::kHalfSplit;
  EXPECT_EQ(Turn(kernels(), heads, {1, 2, 3, 4, 5, 6}, quarter),
            (std::vector<float>{-3, -4, 1, 2, 5, 6}));
}

// Two products and a sum make three roundings of |a| + |b| at most.
TEST_P(RopeKernelTest, AgreesWithDoublePrecision) {
  std::mt19937 random(1);
  for (const RopeLayout layout : {RopeLayout::kInterleaved, RopeLayout::kHalfSplit}) {
    for (const auto& [size, rotary] : {std::pair<int64_t, int64_t>{2, 2},
                                       {7, 6},
                                       {16, 16},
                                       {33, 14},
                                       {80, 32},
                                       {100, 100},
                                       {128, 128},
                                       {257, 256}}) {
      for (const int64_t count : {1, 3, 8}) {
        for (const double deviation : {1.0, 1e6, 1e-40}) {
          const Heads heads{
              .tokens = 5, .heads = count, .size = size, .rotary = rotary, .layout = layout};
          const std::vector<float> x = RandomFloats(random, 5 * count * size, deviation);
          const Angles angles = RandomAngles(random, 5 * rotary / 2);
          const std::vector<float> y = Turn(kernels(), heads, x, angles);
          for (int64_t row = 0; row < 5 * count; ++row) {
            for (int64_t i = 0; i < size; ++i) {
              const size_t at = Count(row * size + i);
              if (i >= rotary) {
                ASSERT_EQ(y[at], x[at]) << "size " << size << " channel " << i;
                continue;
              }
              const bool interleaved = layout == RopeLayout::kInterleaved;
              const bool second = interleaved ? i % 2 == 1 : i >= rotary / 2;
              const int64_t pair = interleaved ? i / 2 : i % (rotary / 2);
              const int64_t other = interleaved ? i ^ 1 : (i + rotary / 2) % rotary;
              const size_t angle = Count(row / count * (rotary / 2) + pair);
              const double mine = x[at];
              const double theirs = x[Count(row * size + other)];
              const double cos = angles.cos[angle];
              const double sin = angles.sin[angle];
              const double expected =
                  second ? mine * cos + theirs * sin : mine * cos - theirs * sin;
              ASSERT_NEAR(y[at], expected,
                          3 * kRoundoff * (std::abs(mine) + std::abs(theirs)) + 3 * kUnderflow)
                  << "size " << size << " rotary " << rotary << " channel " << i;
            }
          }
        }
      }
    }
  }
}

TEST_P(RopeKernelTest, TurningBackRestoresAndLengthsStay) {
  std::mt19937 random(2);
  const Heads heads{.tokens = 3, .heads = 4, .size = 64, .rotary = 64};
  const std::vector<float> x = RandomFloats(random, 3 * 4 * 64);
  Angles angles = RandomAngles(random, 3 * 32);
  const std::vector<float> turned = Turn(kernels(), heads, x, angles);
  for (float& sin : angles.sin) sin = -sin;
  const std::vector<float> back = Turn(kernels(), heads, turned, angles);
  // Each turn errs by three roundoffs of a pair's length, and the table's cos² + sin² errs by two.
  for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(back[i], x[i], 1e-6 * 5) << i;
}

TEST_P(RopeKernelTest, ATokenAloneHasTheBitsOfTheBatchAndNaNStaysInItsPair) {
  std::mt19937 random(3);
  for (const RopeLayout layout : {RopeLayout::kInterleaved, RopeLayout::kHalfSplit}) {
    Heads heads{.tokens = 4, .heads = 3, .size = 80, .rotary = 32, .layout = layout};
    std::vector<float> x = RandomFloats(random, 4 * 240);
    const Angles angles = RandomAngles(random, 4 * 16);
    const std::vector<float> all = Turn(kernels(), heads, x, angles);
    heads.tokens = 1;
    std::vector<uint32_t> alone;
    for (ptrdiff_t t = 0; t < 4; ++t) {
      const Angles own{.cos = {angles.cos.begin() + t * 16, angles.cos.begin() + (t + 1) * 16},
                       .sin = {angles.sin.begin() + t * 16, angles.sin.begin() + (t + 1) * 16}};
      const auto bits =
          Bits(Turn(kernels(), heads, {x.begin() + t * 240, x.begin() + (t + 1) * 240}, own));
      alone.insert(alone.end(), bits.begin(), bits.end());
    }
    EXPECT_EQ(alone, Bits(all));
    heads.tokens = 4;
    x[250] = kNaN;  // token 1, head 0, channel 10
    const std::vector<float> dirty = Turn(kernels(), heads, x, angles);
    const size_t partner = layout == RopeLayout::kInterleaved ? 251 : 266;
    for (size_t i = 0; i < dirty.size(); ++i) {
      EXPECT_EQ(std::isnan(dirty[i]), i == 250 || i == partner) << i;
    }
  }
}

TEST_P(RopeKernelTest, BitsDoNotDependOnThreads) {
  std::mt19937 random(4);
  for (const RopeLayout layout : {RopeLayout::kInterleaved, RopeLayout::kHalfSplit}) {
    // Each token is a task, or several tokens share one.
    for (const int64_t count : {1, 40}) {
      const Heads heads{.tokens = 100, .heads = count, .size = 100, .rotary = 66, .layout = layout};
      const std::vector<float> x = RandomFloats(random, 100 * count * 100);
      const Angles angles = RandomAngles(random, int64_t{100} * 33);
      const auto expected = Bits(Turn(kernels(), heads, x, angles));
      for (const int threads : {2, 4}) {
        EXPECT_EQ(Bits(Turn(kernels(), heads, x, angles, threads)), expected);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, RopeKernelTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
