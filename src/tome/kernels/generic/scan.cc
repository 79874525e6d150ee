#include <algorithm>
#include <cmath>

#include "tome/kernels/generic/generic.h"

namespace tome::generic {
namespace {

float Softplus(float x) { return std::max(x, 0.0F) + std::log1p(std::exp(-std::abs(x))); }

}  // namespace

void Conv1d(const Conv1dArgs& args, ThreadPool& threads) noexcept {
  const int64_t channels = args.channels;
  const int64_t before = args.width - 1;
  threads.ParallelFor(channels, [&](int64_t c, int) {
    const float* x = args.x;
    float* y = args.y;
    for (const ConvSequence& sequence : args.sequences) {
      const auto input = [&](int64_t t) {
        return t < 0 ? sequence.window[(before + t) * channels + c] : x[t * channels + c];
      };
      for (int64_t t = 0; t < sequence.tokens; ++t) {
        float sum = args.bias != nullptr ? args.bias[c] : 0;
        for (int64_t j = 0; j < args.width; ++j) {
          sum += args.weight[j * channels + c] * input(t - before + j);
        }
        y[t * channels + c] = Activate(Activation::kSilu, sum);
      }
      for (int64_t j = 0; j < before; ++j) {
        sequence.next_window[j * channels + c] = input(sequence.tokens - before + j);
      }
      x += sequence.tokens * channels;
      y += sequence.tokens * channels;
    }
  });
}

void SelectiveScan(const SelectiveScanArgs& args, ThreadPool& threads) noexcept {
  threads.ParallelFor(args.channels, [&](int64_t channel, int) {
    int64_t t = 0;
    for (const ScanSequence& sequence : args.sequences) {
      for (int64_t n = 0; n < args.states; ++n) {
        const int64_t at = n * args.channels + channel;
        sequence.next_state[at] = sequence.state[at];
      }
      for (const int64_t end = t + sequence.tokens; t < end; ++t) {
        const int64_t here = t * args.channels + channel;
        const float x = args.x[here];
        const float delta = Softplus(args.dt[here]);
        const float gate = args.z != nullptr ? Activate(Activation::kSilu, args.z[here]) : 1;
        float sum = 0;
        for (int64_t n = 0; n < args.states; ++n) {
          float& h = sequence.next_state[n * args.channels + channel];
          h = std::exp(delta * args.a[n * args.channels + channel]) * h +
              delta * x * args.b[t * args.states + n];
          sum += h * args.c[t * args.states + n];
        }
        args.y[here] = (sum + args.d[channel] * x) * gate;
      }
    }
  });
}

void HeadScan(const HeadScanArgs& args, ThreadPool& threads) noexcept {
  threads.ParallelFor(args.heads, [&](int64_t head, int) {
    const int64_t group = head / (args.heads / args.groups);
    const int64_t matrix = args.states * args.head_size;
    int64_t t = 0;
    for (const ScanSequence& sequence : args.sequences) {
      float* h = sequence.next_state + head * matrix;
      std::copy_n(sequence.state + head * matrix, h == sequence.state + head * matrix ? 0 : matrix,
                  h);
      for (const int64_t end = t + sequence.tokens; t < end; ++t) {
        const float* x = args.x + t * args.x_stride + head * args.head_size;
        const float* b = args.b + t * args.bc_stride + group * args.states;
        const float* c = args.c + t * args.bc_stride + group * args.states;
        const float delta = std::min(
            std::max(Softplus(args.dt[t * args.heads + head] + args.dt_bias[head]), args.least),
            args.most);
        const float decay = std::exp(delta * args.a[head]);
        for (int64_t p = 0; p < args.head_size; ++p) {
          const int64_t here = (t * args.heads + head) * args.head_size + p;
          float sum = 0;
          for (int64_t n = 0; n < args.states; ++n) {
            float& state = h[n * args.head_size + p];
            state = decay * state + delta * x[p] * b[n];
            sum += state * c[n];
          }
          const float gate = args.z != nullptr ? Activate(Activation::kSilu, args.z[here]) : 1;
          args.y[here] = (sum + args.d[head * args.head_size + p] * x[p]) * gate;
        }
      }
    }
  });
}

}  // namespace tome::generic
