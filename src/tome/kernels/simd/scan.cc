#include "tome/kernels/scan.h"

#include <algorithm>

#include "tome/kernels/simd/math.h"
#include "tome/kernels/simd/set.h"

namespace tome::TOME_KERNEL_SET {
namespace {

// Channels of one task, so that its rows are a few cache lines.
constexpr int64_t kTaskVectors = 4;
constexpr int64_t kTaskChannels = kTaskVectors * kLanes;
// States that stay in registers from token to token.
constexpr int64_t kTileStates = 16;
// Tokens that a task takes before it goes on to its next channels, so that rows of input stay in
// the cache.
constexpr int64_t kTokenRun = 32;

int64_t Parts(int64_t size, int64_t part) { return (size + part - 1) / part; }

// Calls body(sequence, row of its first token, part) for each of `parts` parts of each sequence.
template <typename Sequence, typename Body>
void ForEachPart(std::span<const Sequence> sequences, int64_t parts, ThreadPool& threads,
                 const Body& body) {
  threads.ParallelFor(static_cast<int64_t>(sequences.size()) * parts, [&](int64_t task, int) {
    const auto index = static_cast<size_t>(task / parts);
    int64_t row = 0;
    for (size_t i = 0; i < index; ++i) row += sequences[i].tokens;
    body(sequences[index], row, task % parts);
  });
}

// --- Convolution --------------------------------------------------------------------------------

// The inputs of one vector of channels, including those in the window.
struct ConvInput {
  const float* window = nullptr;  // [before, channels]
  const float* x = nullptr;       // [tokens, channels]
  int64_t channels = 0;
  int64_t before = 0;
  int64_t left = 0;  // channels from this vector on

  F32 operator()(int64_t t) const {
    return LoadFirst(t < 0 ? window + (before + t) * channels : x + t * channels, left);
  }
};

// Convolves with a fixed width. Weights stay in registers, and so do the inputs that the next token
// needs again.
template <int kWidth>
void ConvolveVector(const ConvInput& input, const float* weight, F32 bias, int64_t tokens,
                    float* y) {
  F32 w[kWidth];
  F32 recent[kWidth];
  TOME_UNROLL for (int j = 0; j < kWidth; ++j) {
    w[j] = LoadFirst(weight + j * input.channels, input.left);
    recent[j] = j == 0 ? Zero() : input(j - kWidth);
  }
  for (int64_t t = 0; t < tokens; ++t) {
    TOME_UNROLL for (int j = 0; j + 1 < kWidth; ++j) recent[j] = recent[j + 1];
    recent[kWidth - 1] = LoadFirst(input.x + t * input.channels, input.left);
    F32 sum = bias;
    TOME_UNROLL for (int j = 0; j < kWidth; ++j) sum = Fma(w[j], recent[j], sum);
    StoreFirst(y + t * input.channels, Silu(sum), input.left);
  }
}

void ConvolveAnyWidth(const ConvInput& input, const float* weight, F32 bias, int64_t tokens,
                      float* y) {
  for (int64_t t = 0; t < tokens; ++t) {
    F32 sum = bias;
    for (int64_t j = 0; j <= input.before; ++j) {
      sum =
          Fma(LoadFirst(weight + j * input.channels, input.left), input(t - input.before + j), sum);
    }
    StoreFirst(y + t * input.channels, Silu(sum), input.left);
  }
}

// --- Mamba --------------------------------------------------------------------------------------

// One vector of channels over a run of tokens. Only the first `left` lanes are channels.
struct Run {
  const float* x = nullptr;
  const float* dt = nullptr;
  const float* z = nullptr;
  float* y = nullptr;
  const float* b = nullptr;  // [tokens, states]
  const float* c = nullptr;
  int64_t tokens = 0;
  int64_t left = 0;
};

F32 Gated(const float* z, F32 y, int64_t left) {
  return z != nullptr ? Mul(y, Silu(LoadFirst(z, left))) : y;
}

// Scans a vector of channels with kTileStates states. Rows of `a` and of the states are `channels`
// apart.
void ScanTile(const SelectiveScanArgs& args, const Run& run, const float* a_rows, const float* from,
              float* to, F32 d) {
  const int64_t channels = args.channels;
  F32 h[kTileStates];
  TOME_UNROLL for (int n = 0; n < kTileStates; ++n) h[n] = LoadFirst(from + n * channels, run.left);
  // The copy is aligned and padded, so that the inner loop can use plain vector loads.
  alignas(64) float a[kTileStates][kLanes];
  for (int n = 0; n < kTileStates; ++n) Store(a[n], LoadFirst(a_rows + n * channels, run.left));
  for (int64_t t = 0; t < run.tokens; ++t) {
    const F32 x = LoadFirst(run.x + t * channels, run.left);
    const F32 delta = Softplus(LoadFirst(run.dt + t * channels, run.left));
    const F32 input = Mul(delta, x);
    const float* const b = run.b + t * args.states;
    const float* const c = run.c + t * args.states;
    F32 even = Mul(d, x);
    F32 odd = Zero();
    TOME_UNROLL for (int n = 0; n < kTileStates; ++n) {
      const F32 decay = Exp(Mul(delta, Load(a[n])));
      h[n] = Fma(input, BroadcastF32(b + n), Mul(decay, h[n]));
      F32& sum = n % 2 == 0 ? even : odd;
      sum = Fma(h[n], BroadcastF32(c + n), sum);
    }
    StoreFirst(run.y + t * channels,
               Gated(run.z == nullptr ? nullptr : run.z + t * channels, Add(even, odd), run.left),
               run.left);
  }
  TOME_UNROLL for (int n = 0; n < kTileStates; ++n) StoreFirst(to + n * channels, h[n], run.left);
}

// Scans a vector of channels with any number of states, which stay in memory.
void ScanAnyStates(const SelectiveScanArgs& args, const Run& run, const float* a, const float* from,
                   float* to, F32 d) {
  const int64_t channels = args.channels;
  for (int64_t t = 0; t < run.tokens; ++t) {
    const F32 x = LoadFirst(run.x + t * channels, run.left);
    const F32 delta = Softplus(LoadFirst(run.dt + t * channels, run.left));
    const F32 input = Mul(delta, x);
    const float* const b = run.b + t * args.states;
    const float* const c = run.c + t * args.states;
    F32 sum = Mul(d, x);
    for (int64_t n = 0; n < args.states; ++n) {
      const F32 decay = Exp(Mul(delta, LoadFirst(a + n * channels, run.left)));
      const F32 before = LoadFirst((t == 0 ? from : to) + n * channels, run.left);
      const F32 h = Fma(input, BroadcastF32(b + n), Mul(decay, before));
      StoreFirst(to + n * channels, h, run.left);
      sum = Fma(h, BroadcastF32(c + n), sum);
    }
    StoreFirst(run.y + t * channels,
               Gated(run.z == nullptr ? nullptr : run.z + t * channels, sum, run.left), run.left);
  }
}

// --- Mamba-2 ------------------------------------------------------------------------------------

// Δ and the decay of some tokens of one head.
struct Steps {
  alignas(64) float delta[kTokenRun];
  alignas(64) float decay[kTokenRun];
};

void FindSteps(const HeadScanArgs& args, int64_t row, int64_t tokens, int64_t head, Steps& steps) {
  for (int64_t t = 0; t < tokens; ++t) {
    steps.delta[t] = args.dt[(row + t) * args.heads + head] + args.dt_bias[head];
  }
  for (int64_t t = tokens; t < kTokenRun; ++t) steps.delta[t] = 0;
  for (int64_t t = 0; t < kTokenRun; t += kLanes) {
    const F32 delta = Min(Set(args.most), Max(Set(args.least), Softplus(Load(steps.delta + t))));
    Store(steps.delta + t, delta);
    Store(steps.decay + t, Exp(Mul(delta, Set(args.a[head]))));
  }
}

// Scans kStates states of a vector of channels. The first tile, which gets `d`, starts the sums in
// y; the other tiles add to them.
template <int kStates>
void HeadTile(const HeadScanArgs& args, const Steps& steps, int64_t tokens, const float* x,
              const float* b, const float* c, const float* d, const float* from, float* to,
              float* y, int64_t left) {
  const int64_t y_stride = args.heads * args.head_size;
  F32 h[kStates];
  TOME_UNROLL for (int n = 0; n < kStates; ++n) h[n] = LoadFirst(from + n * args.head_size, left);
  for (int64_t t = 0; t < tokens; ++t) {
    const F32 now = LoadFirst(x + t * args.x_stride, left);
    const F32 decay = Set(steps.decay[t]);
    const F32 input = Mul(Set(steps.delta[t]), now);
    const float* const bs = b + t * args.bc_stride;
    const float* const cs = c + t * args.bc_stride;
    float* const out = y + t * y_stride;
    F32 even = d != nullptr ? Mul(LoadFirst(d, left), now) : LoadFirst(out, left);
    F32 odd = Zero();
    TOME_UNROLL for (int n = 0; n < kStates; ++n) {
      h[n] = Fma(input, BroadcastF32(bs + n), Mul(decay, h[n]));
      F32& sum = n % 2 == 0 ? even : odd;
      sum = Fma(h[n], BroadcastF32(cs + n), sum);
    }
    StoreFirst(out, Add(even, odd), left);
  }
  TOME_UNROLL for (int n = 0; n < kStates; ++n) StoreFirst(to + n * args.head_size, h[n], left);
}

void ScanHead(const HeadScanArgs& args, const ScanSequence& sequence, int64_t row, int64_t head) {
  const int64_t group = head / (args.heads / args.groups);
  const int64_t matrix = args.states * args.head_size;
  const int64_t y_stride = args.heads * args.head_size;
  const float* from = sequence.state + head * matrix;
  float* const to = sequence.next_state + head * matrix;
  // y may be z, so the gates are computed before the sums overwrite z.
  alignas(64) float gates[kTokenRun][kLanes];
  Steps steps;
  for (int64_t begin = 0; begin < sequence.tokens; begin += kTokenRun) {
    const int64_t tokens = std::min(kTokenRun, sequence.tokens - begin);
    const int64_t first = row + begin;
    FindSteps(args, first, tokens, head, steps);
    const float* const b = args.b + first * args.bc_stride + group * args.states;
    const float* const c = args.c + first * args.bc_stride + group * args.states;
    for (int64_t p = 0; p < args.head_size; p += kLanes) {
      const int64_t left = args.head_size - p;
      const int64_t channel = head * args.head_size + p;
      const float* const x = args.x + first * args.x_stride + channel;
      float* const y = args.y + first * y_stride + channel;
      if (args.z != nullptr) {
        const float* const z = args.z + first * y_stride + channel;
        for (int64_t t = 0; t < tokens; ++t) {
          Store(gates[t], Silu(LoadFirst(z + t * y_stride, left)));
        }
      }
      const auto tile = [&]<int kStates>(int64_t n) {
        HeadTile<kStates>(args, steps, tokens, x, b + n, c + n, n == 0 ? args.d + channel : nullptr,
                          from + n * args.head_size + p, to + n * args.head_size + p, y, left);
      };
      int64_t n = 0;
      for (; n + kTileStates <= args.states; n += kTileStates) {
        tile.template operator()<kTileStates>(n);
      }
      for (; n < args.states; ++n) tile.template operator()<1>(n);
      if (args.z == nullptr) continue;
      for (int64_t t = 0; t < tokens; ++t) {
        float* const out = y + t * y_stride;
        StoreFirst(out, Mul(LoadFirst(out, left), Load(gates[t])), left);
      }
    }
    from = to;
  }
}

}  // namespace

void Conv1d(const Conv1dArgs& args, ThreadPool& threads) noexcept {
  const int64_t before = args.width - 1;
  ForEachPart(args.sequences, Parts(args.channels, kTaskChannels), threads,
              [&](const ConvSequence& sequence, int64_t row, int64_t part) {
                const int64_t end = std::min(args.channels, (part + 1) * kTaskChannels);
                for (int64_t channel = part * kTaskChannels; channel < end; channel += kLanes) {
                  const ConvInput input{.window = sequence.window + channel,
                                        .x = args.x + row * args.channels + channel,
                                        .channels = args.channels,
                                        .before = before,
                                        .left = args.channels - channel};
                  const F32 bias =
                      args.bias != nullptr ? LoadFirst(args.bias + channel, input.left) : Zero();
                  float* const y = args.y + row * args.channels + channel;
                  if (args.width == 4) {
                    ConvolveVector<4>(input, args.weight + channel, bias, sequence.tokens, y);
                  } else {
                    ConvolveAnyWidth(input, args.weight + channel, bias, sequence.tokens, y);
                  }
                  for (int64_t j = 0; j < before; ++j) {
                    StoreFirst(sequence.next_window + j * args.channels + channel,
                               input(sequence.tokens - before + j), input.left);
                  }
                }
              });
}

void SelectiveScan(const SelectiveScanArgs& args, ThreadPool& threads) noexcept {
  ForEachPart(args.sequences, Parts(args.channels, kTaskChannels), threads,
              [&](const ScanSequence& sequence, int64_t row, int64_t part) {
                const int64_t last = std::min(args.channels, (part + 1) * kTaskChannels);
                const float* from = sequence.state;
                for (int64_t begin = 0; begin < sequence.tokens; begin += kTokenRun) {
                  const int64_t first = row + begin;
                  for (int64_t channel = part * kTaskChannels; channel < last; channel += kLanes) {
                    const int64_t at = first * args.channels + channel;
                    const Run run{.x = args.x + at,
                                  .dt = args.dt + at,
                                  .z = args.z != nullptr ? args.z + at : nullptr,
                                  .y = args.y + at,
                                  .b = args.b + first * args.states,
                                  .c = args.c + first * args.states,
                                  .tokens = std::min(kTokenRun, sequence.tokens - begin),
                                  .left = args.channels - channel};
                    const F32 d = LoadFirst(args.d + channel, run.left);
                    const auto scan = args.states == kTileStates ? ScanTile : ScanAnyStates;
                    scan(args, run, args.a + channel, from + channel, sequence.next_state + channel,
                         d);
                  }
                  from = sequence.next_state;
                }
              });
}

void HeadScan(const HeadScanArgs& args, ThreadPool& threads) noexcept {
  ForEachPart(args.sequences, args.heads, threads,
              [&](const ScanSequence& sequence, int64_t row, int64_t head) {
                ScanHead(args, sequence, row, head);
              });
}

}  // namespace tome::TOME_KERNEL_SET
