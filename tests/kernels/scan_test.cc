#include "tome/kernels/scan.h"

#include <gtest/gtest.h>

#include "tests/kernels/kernel_inputs.h"

namespace tome {
namespace {

// Scan holds either kind of scan. For Mamba, every channel is a head.
struct Scan {
  bool by_head = false;  // Mamba-2
  int64_t heads = 0;
  int64_t head_size = 1;
  int64_t states = 0;
  int64_t groups = 1;
  float least = 0;
  float most = kInf;
  std::vector<float> a;        // [states, heads], or [heads]
  std::vector<float> dt_bias;  // [heads]: zeros for Mamba
  std::vector<float> d;        // [heads, head_size]
  std::vector<float> x;        // [tokens, heads, head_size]
  std::vector<float> dt;       // [tokens, heads]
  std::vector<float> b, c;     // [tokens, groups, states]
  std::vector<float> z;        // the shape of x, or empty

  int64_t channels() const { return heads * head_size; }
  int64_t tokens() const { return static_cast<int64_t>(x.size()) / channels(); }
  int64_t state_floats() const { return channels() * states; }
};

Scan RandomScan(std::mt19937& random, bool by_head, int64_t heads, int64_t head_size,
                int64_t states, int64_t groups, int64_t tokens, bool gated) {
  Scan scan{.by_head = by_head,
            .heads = heads,
            .head_size = head_size,
            .states = states,
            .groups = groups,
            .a = RandomFloats(random, by_head ? heads : states * heads),
            .dt_bias = by_head ? RandomFloats(random, heads) : std::vector<float>(Count(heads)),
            .d = RandomFloats(random, heads * head_size),
            .x = RandomFloats(random, tokens * heads * head_size),
            .dt = RandomFloats(random, tokens * heads, 2),
            .b = RandomFloats(random, tokens * groups * states),
            .c = RandomFloats(random, tokens * groups * states),
            .z = RandomFloats(random, gated ? tokens * heads * head_size : 0, 3)};
  for (float& value : scan.a) value = -std::abs(value);
  return scan;
}

struct ScanResult {
  std::vector<float> y;
  std::vector<float> state;
};

// Scans in passes of `cut` tokens, starting from `state`.
ScanResult RunScan(const KernelSet& kernels, const Scan& scan, std::vector<float> state,
                   int64_t cut, int threads = 1) {
  ThreadPool pool(threads);
  ScanResult result{.y = std::vector<float>(scan.x.size(), kNaN), .state = std::move(state)};
  const int64_t row = scan.groups * scan.states;
  for (int64_t t = 0; t < scan.tokens(); t += cut) {
    std::vector<float> next(result.state.size(), kNaN);
    const ScanSequence sequence{.tokens = std::min(cut, scan.tokens() - t),
                                .state = result.state.data(),
                                .next_state = next.data()};
    const int64_t at = t * scan.channels();
    if (scan.by_head) {
      kernels.head_scan({.sequences = {&sequence, 1},
                         .x = scan.x.data() + at,
                         .b = scan.b.data() + t * row,
                         .c = scan.c.data() + t * row,
                         .x_stride = scan.channels(),
                         .bc_stride = row,
                         .dt = scan.dt.data() + t * scan.heads,
                         .dt_bias = scan.dt_bias.data(),
                         .least = scan.least,
                         .most = scan.most,
                         .a = scan.a.data(),
                         .d = scan.d.data(),
                         .z = scan.z.empty() ? nullptr : scan.z.data() + at,
                         .y = result.y.data() + at,
                         .heads = scan.heads,
                         .head_size = scan.head_size,
                         .states = scan.states,
                         .groups = scan.groups},
                        pool);
    } else {
      kernels.selective_scan({.sequences = {&sequence, 1},
                              .x = scan.x.data() + at,
                              .dt = scan.dt.data() + at,
                              .a = scan.a.data(),
                              .b = scan.b.data() + t * row,
                              .c = scan.c.data() + t * row,
                              .d = scan.d.data(),
                              .z = scan.z.empty() ? nullptr : scan.z.data() + at,
                              .y = result.y.data() + at,
                              .channels = scan.heads,
                              .states = scan.states},
                             pool);
    }
    result.state = next;
  }
  return result;
}

// Checks the recurrence of one head's channel p in double precision, with a bound of the error of
// floats. An elementary function errs by at most 8 roundoffs, and a decay by as much more as its
// exponent magnifies the error of Δ.
void ExpectChannel(const Scan& scan, const std::vector<float>& before, int64_t head, int64_t p,
                   const ScanResult& result) {
  constexpr double kFunction = 8 * kRoundoff;
  const int64_t group = head / (scan.heads / scan.groups);
  const auto at = [&](int64_t n) {
    return Count(scan.by_head ? (head * scan.states + n) * scan.head_size + p
                              : n * scan.heads + head);
  };
  std::vector<double> h(Count(scan.states));
  std::vector<double> size(h.size());
  std::vector<double> error(h.size(), 0);
  for (int64_t n = 0; n < scan.states; ++n) {
    h[Count(n)] = double{before[at(n)]};
    size[Count(n)] = std::abs(h[Count(n)]);
  }
  for (int64_t t = 0; t < scan.tokens(); ++t) {
    const auto here = Count(t * scan.channels() + head * scan.head_size + p);
    const double x = double{scan.x[here]};
    // The sum of dt and its bias is rounded. Softplus passes that error on with its slope, which is
    // at most 1 and at most twice its value.
    const double step =
        double{scan.dt[Count(t * scan.heads + head)]} + double{scan.dt_bias[Count(head)]};
    const double plain = std::log1p(std::exp(-std::abs(step))) + std::max(step, 0.0);
    const double delta = std::min(std::max(plain, double{scan.least}), double{scan.most});
    const double delta_error =
        kFunction * delta + kRoundoff * std::abs(step) * std::min(1.0, 2 * plain);
    double sum = double{scan.d[Count(head * scan.head_size + p)]} * x;
    double sum_size = std::abs(sum);
    double sum_error = 0;
    for (int64_t n = 0; n < scan.states; ++n) {
      const double a = double{scan.a[Count(scan.by_head ? head : n * scan.heads + head)]};
      const double decay = std::exp(delta * a);
      const auto bc = Count((t * scan.groups + group) * scan.states + n);
      const double input = delta * x * double{scan.b[bc]};
      double& e = error[Count(n)];
      double& s = size[Count(n)];
      e = decay * e +
          decay * s *
              (kFunction + delta_error * std::abs(a) + 4 * kRoundoff +
               kRoundoff * delta * std::abs(a)) +
          std::abs(x * double{scan.b[bc]}) * delta_error + 4 * kRoundoff * std::abs(input) +
          kUnderflow;
      s = decay * s + std::abs(input);
      h[Count(n)] = decay * h[Count(n)] + input;
      sum += h[Count(n)] * double{scan.c[bc]};
      sum_size += s * std::abs(double{scan.c[bc]});
      sum_error += e * std::abs(double{scan.c[bc]});
    }
    sum_error += static_cast<double>(scan.states + 4) * kRoundoff * sum_size;
    double gate = 1;
    if (!scan.z.empty()) {
      const double z = double{scan.z[here]};
      gate = z / (1 + std::exp(-z));
    }
    ASSERT_NEAR(result.y[here], sum * gate,
                std::abs(gate) * (2 * sum_error + 2 * kFunction * std::abs(sum)) + kUnderflow)
        << "head " << head << ", channel " << p << ", token " << t;
  }
  for (int64_t n = 0; n < scan.states; ++n) {
    ASSERT_NEAR(result.state[at(n)], h[Count(n)], 2 * error[Count(n)] + kUnderflow)
        << "state " << n;
  }
}

void ExpectScan(const Scan& scan, const std::vector<float>& before, const ScanResult& result) {
  for (int64_t head = 0; head < scan.heads; ++head) {
    for (int64_t p = 0; p < scan.head_size; ++p) {
      ASSERT_NO_FATAL_FAILURE(ExpectChannel(scan, before, head, p, result))
          << scan.heads << " heads of " << scan.head_size << ", " << scan.states << " states";
    }
  }
}

class ScanTest : public KernelTest {};

TEST_P(ScanTest, SelectiveScanByHand) {
  // softplus(0) = ln 2; states halve with a = −1 and quarter with a = −2.
  constexpr float kLn2 = 0.6931472F;
  Scan scan{.heads = 1,
            .states = 2,
            .a = {-1, -2},
            .dt_bias = {0},
            .d = {10},
            .x = {1 / kLn2, 0},
            .dt = {0, 0},
            .b = {2, 4, 0, 0},
            .c = {1, 0, 1, 1},
            .z = {}};
  const ScanResult result = RunScan(kernels(), scan, {4, 8}, 2);
  EXPECT_NEAR(result.y[0], 4 + 10 / double{kLn2}, 1e-5);
  EXPECT_NEAR(result.y[1], 2 + 1.5, 1e-5);
  EXPECT_NEAR(result.state[1], 1.5, 1e-5);
}

TEST_P(ScanTest, SelectiveScanAgreesWithDoublePrecision) {
  std::mt19937 random(1);
  for (const int64_t channels : {1, 7, 16, 33, 130}) {
    for (const int64_t states : {1, 5, 16, 17, 32}) {
      for (const int64_t tokens : {1, 3, 70}) {
        const Scan scan =
            RandomScan(random, false, channels, 1, states, 1, tokens, (channels + states) % 2 == 0);
        const std::vector<float> before = RandomFloats(random, scan.state_floats());
        ASSERT_NO_FATAL_FAILURE(ExpectScan(scan, before, RunScan(kernels(), scan, before, tokens)));
      }
    }
  }
}

TEST_P(ScanTest, HeadScanAgreesWithDoublePrecision) {
  std::mt19937 random(2);
  struct Case {
    int64_t heads, head_size, states, groups, tokens;
  };
  for (const Case& c : {Case{1, 1, 1, 1, 3}, Case{3, 16, 16, 1, 40}, Case{4, 20, 33, 2, 70},
                        Case{2, 64, 128, 1, 33}, Case{6, 7, 24, 3, 1}}) {
    for (const bool limited : {false, true}) {
      Scan scan =
          RandomScan(random, true, c.heads, c.head_size, c.states, c.groups, c.tokens, limited);
      if (limited) {
        scan.least = 0.3F;
        scan.most = 1.5F;
      }
      const std::vector<float> before = RandomFloats(random, scan.state_floats());
      ASSERT_NO_FATAL_FAILURE(ExpectScan(scan, before, RunScan(kernels(), scan, before, c.tokens)));
    }
  }
}

TEST_P(ScanTest, LargeStepsForgetAndSmallOnesKeep) {
  std::mt19937 random(3);
  for (const bool by_head : {false, true}) {
    for (const float step : {80.0F, -80.0F, 1e30F}) {
      Scan scan = RandomScan(random, by_head, 5, by_head ? 8 : 1, 16, 1, 3, false);
      for (float& dt : scan.dt) dt = step;
      for (float& x : scan.x) x = step > 1e20F ? 0.0F : x;
      for (float& a : scan.a) a -= 1;
      const std::vector<float> before = RandomFloats(random, scan.state_floats());
      const ScanResult result = RunScan(kernels(), scan, before, 3);
      for (const float value : result.y) EXPECT_TRUE(std::isfinite(value)) << step;
      if (step < 0) {
        EXPECT_TRUE(SameBits(result.state, before));
      }
      if (step > 1e20F) {
        EXPECT_EQ(result.state, std::vector<float>(before.size(), 0));
      }
    }
  }
}

TEST_P(ScanTest, CutsAndThreadsDoNotChangeABit) {
  std::mt19937 random(4);
  for (const bool by_head : {false, true}) {
    for (const int64_t states : {16, 19}) {
      const Scan scan = by_head ? RandomScan(random, true, 6, 20, states, 2, 100, true)
                                : RandomScan(random, false, 203, 1, states, 1, 100, true);
      const std::vector<float> before = RandomFloats(random, scan.state_floats());
      const ScanResult expected = RunScan(kernels(), scan, before, 100);
      for (const int64_t cut : {1, 7, 32, 33, 64}) {
        const ScanResult result = RunScan(kernels(), scan, before, cut, 3);
        EXPECT_TRUE(SameBits(result.y, expected.y)) << "in passes of " << cut;
        EXPECT_TRUE(SameBits(result.state, expected.state)) << "in passes of " << cut;
      }
    }
  }
}

// By the formulas, the next state may overlap the state, and y may overlap z (Mamba-2) or dt
// (Mamba).
TEST_P(ScanTest, WorksInPlace) {
  std::mt19937 random(5);
  const Scan mamba = RandomScan(random, false, 50, 1, 16, 1, 40, true);
  const Scan heads = RandomScan(random, true, 3, 20, 40, 1, 40, true);
  ThreadPool pool(2);
  for (const Scan& scan : {mamba, heads}) {
    const std::vector<float> before = RandomFloats(random, scan.state_floats());
    const ScanResult expected = RunScan(kernels(), scan, before, 40);
    std::vector<float> state = before;
    std::vector<float> y = scan.by_head ? scan.z : scan.dt;
    const ScanSequence sequence{.tokens = 40, .state = state.data(), .next_state = state.data()};
    if (scan.by_head) {
      kernels().head_scan({.sequences = {&sequence, 1},
                           .x = scan.x.data(),
                           .b = scan.b.data(),
                           .c = scan.c.data(),
                           .x_stride = scan.channels(),
                           .bc_stride = scan.states,
                           .dt = scan.dt.data(),
                           .dt_bias = scan.dt_bias.data(),
                           .a = scan.a.data(),
                           .d = scan.d.data(),
                           .z = y.data(),
                           .y = y.data(),
                           .heads = scan.heads,
                           .head_size = scan.head_size,
                           .states = scan.states,
                           .groups = 1},
                          pool);
    } else {
      kernels().selective_scan({.sequences = {&sequence, 1},
                                .x = scan.x.data(),
                                .dt = y.data(),
                                .a = scan.a.data(),
                                .b = scan.b.data(),
                                .c = scan.c.data(),
                                .d = scan.d.data(),
                                .z = scan.z.data(),
                                .y = y.data(),
                                .channels = scan.heads,
                                .states = scan.states},
                               pool);
    }
    EXPECT_TRUE(SameBits(y, expected.y));
    EXPECT_TRUE(SameBits(state, expected.state));
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, ScanTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
