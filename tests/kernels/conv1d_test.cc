#include "tome/kernels/conv1d.h"

#include <gtest/gtest.h>

#include "tests/kernels/kernel_inputs.h"

namespace tome {
namespace {

struct Convolution {
  int64_t channels = 0;
  int64_t width = 0;
  std::vector<float> weight;  // [width, channels]
  std::vector<float> bias;    // [channels], or empty

  int64_t window_floats() const { return (width - 1) * channels; }
};

Convolution RandomConvolution(std::mt19937& random, int64_t channels, int64_t width, bool bias) {
  return {.channels = channels,
          .width = width,
          .weight = RandomFloats(random, width * channels),
          .bias = bias ? RandomFloats(random, channels) : std::vector<float>()};
}

// Convolves x [tokens, channels] in passes of `cut` tokens. `window` becomes the one after the last
// token.
std::vector<float> Convolve(const KernelSet& kernels, const Convolution& convolution,
                            const std::vector<float>& x, std::vector<float>& window, int64_t cut,
                            int threads = 1) {
  ThreadPool pool(threads);
  const int64_t tokens = static_cast<int64_t>(x.size()) / convolution.channels;
  std::vector<float> y(x.size(), kNaN);
  for (int64_t t = 0; t < tokens; t += cut) {
    std::vector<float> next(window.size(), kNaN);
    const ConvSequence sequence{
        .tokens = std::min(cut, tokens - t), .window = window.data(), .next_window = next.data()};
    kernels.conv1d({.sequences = {&sequence, 1},
                    .x = x.data() + t * convolution.channels,
                    .weight = convolution.weight.data(),
                    .bias = convolution.bias.empty() ? nullptr : convolution.bias.data(),
                    .y = y.data() + t * convolution.channels,
                    .channels = convolution.channels,
                    .width = convolution.width},
                   pool);
    window = next;
  }
  return y;
}

class Conv1dTest : public KernelTest {};

TEST_P(Conv1dTest, AgreesWithDoublePrecision) {
  std::mt19937 random(1);
  for (const int64_t channels : {1, 7, 16, 33, 130}) {
    for (const int64_t width : {1, 3, 4, 7}) {
      for (const int64_t tokens : {1, 2, 3, 5, 40}) {
        const Convolution convolution =
            RandomConvolution(random, channels, width, (channels + width) % 2 == 0);
        const std::vector<float> x = RandomFloats(random, tokens * channels);
        const std::vector<float> before = RandomFloats(random, convolution.window_floats());
        std::vector<float> all = before;
        all.insert(all.end(), x.begin(), x.end());
        std::vector<float> window = before;
        const std::vector<float> y = Convolve(kernels(), convolution, x, window, tokens);
        for (int64_t t = 0; t < tokens; ++t) {
          for (int64_t c = 0; c < channels; ++c) {
            double sum = convolution.bias.empty() ? 0 : double{convolution.bias[Count(c)]};
            double size = std::abs(sum);
            for (int64_t j = 0; j < width; ++j) {
              const double term = double{convolution.weight[Count(j * channels + c)]} *
                                  double{all[Count((t + j) * channels + c)]};
              sum += term;
              size += std::abs(term);
            }
            const double expected = sum / (1 + std::exp(-sum));
            // The slope of silu is below 1.1.
            const double tolerance =
                kRoundoff * (1.1 * static_cast<double>(width + 1) * size + 16 * std::abs(expected));
            ASSERT_NEAR(y[Count(t * channels + c)], expected, tolerance)
                << channels << " channels, width " << width << ", token " << t;
          }
        }
        EXPECT_TRUE(SameBits(window, {all.end() - convolution.window_floats(), all.end()}));
      }
    }
  }
}

TEST_P(Conv1dTest, CutsAndThreadsDoNotChangeABit) {
  std::mt19937 random(2);
  for (const int64_t width : {2, 4}) {
    const Convolution convolution = RandomConvolution(random, 203, width, true);
    const std::vector<float> x = RandomFloats(random, 90 * convolution.channels);
    const std::vector<float> begin(Count(convolution.window_floats()), 0);
    std::vector<float> window = begin;
    const std::vector<float> expected = Convolve(kernels(), convolution, x, window, 90);
    for (const int64_t cut : {1, 2, 7, 64}) {
      std::vector<float> cut_window = begin;
      EXPECT_TRUE(SameBits(Convolve(kernels(), convolution, x, cut_window, cut, 3), expected));
      EXPECT_TRUE(SameBits(cut_window, window));
    }
  }
}

TEST_P(Conv1dTest, SequencesDoNotSeeEachOther) {
  std::mt19937 random(3);
  const Convolution convolution = RandomConvolution(random, 37, 4, true);
  const std::vector<int64_t> lengths{1, 5, 2};
  std::vector<float> x;
  std::vector<float> expected;
  std::vector<std::vector<float>> windows;
  std::vector<std::vector<float>> next;
  std::vector<ConvSequence> sequences;
  for (const int64_t length : lengths) {
    const std::vector<float> mine = RandomFloats(random, length * convolution.channels);
    windows.push_back(RandomFloats(random, convolution.window_floats()));
    next.push_back(windows.back());
    const std::vector<float> y = Convolve(kernels(), convolution, mine, next.back(), length);
    x.insert(x.end(), mine.begin(), mine.end());
    expected.insert(expected.end(), y.begin(), y.end());
  }
  std::vector<std::vector<float>> found = windows;
  for (size_t i = 0; i < lengths.size(); ++i) {
    sequences.push_back(
        {.tokens = lengths[i], .window = windows[i].data(), .next_window = found[i].data()});
  }
  std::vector<float> y(x.size(), kNaN);
  ThreadPool pool(2);
  kernels().conv1d({.sequences = sequences,
                    .x = x.data(),
                    .weight = convolution.weight.data(),
                    .bias = convolution.bias.data(),
                    .y = y.data(),
                    .channels = convolution.channels,
                    .width = convolution.width},
                   pool);
  EXPECT_TRUE(SameBits(y, expected));
  for (size_t i = 0; i < lengths.size(); ++i) EXPECT_TRUE(SameBits(found[i], next[i]));
}

INSTANTIATE_TEST_SUITE_P(Sets, Conv1dTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
