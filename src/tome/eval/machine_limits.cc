#include "tome/eval/machine_limits.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <vector>

#include "tome/tensor/tensor.h"

namespace tome {
namespace {

using Clock = std::chrono::steady_clock;

double Seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

// The best of several runs counts, because a limit is what the machine does undisturbed.
constexpr int kRuns = 5;

// Runs body(worker) on all threads at once. Returns the seconds from the time when all have begun
// to the time when all have ended.
double TimeTogether(ThreadPool& threads, FunctionRef<void(int64_t)> body) {
  std::atomic<int> waiting{threads.threads()};
  std::atomic<int64_t> start{0};
  threads.ParallelFor(threads.threads(), [&](int64_t task, int) {
    if (waiting.fetch_sub(1) == 1) start = Clock::now().time_since_epoch().count();
    while (waiting.load() > 0) {
    }
    body(task);
  });
  return Seconds(Clock::now().time_since_epoch() - Clock::duration(start.load()));
}

double Rate(RateProbe probe, ThreadPool& threads) {
  if (probe == nullptr) return 0;
  constexpr double kRunSeconds = 0.03;
  int64_t rounds = 1024;
  for (;; rounds *= 2) {
    const auto begin = Clock::now();
    probe(rounds);
    if (Seconds(Clock::now() - begin) > kRunSeconds) break;
  }
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::atomic<int64_t> operations{0};
    const double seconds = TimeTogether(threads, [&](int64_t) { operations += probe(rounds); });
    best = std::max(best, static_cast<double>(operations.load()) / seconds);
  }
  return best;
}

// Reads in eight sums of 64-bit words, so that the load units of the processor are not the limit.
uint64_t ReadAll(const std::byte* data, int64_t bytes) {
  uint64_t sums[8] = {};
  for (int64_t i = 0; i + 64 <= bytes; i += 64) {
    uint64_t words[8];
    std::memcpy(words, data + i, sizeof words);
    for (int w = 0; w < 8; ++w) sums[w] += words[w];
  }
  uint64_t sum = 0;
  for (const uint64_t part : sums) sum += part;
  return sum;
}

double ReadRate(ThreadPool& threads) {
  const int64_t available = ::sysconf(_SC_AVPHYS_PAGES) * ::sysconf(_SC_PAGESIZE);
  const int64_t bytes = std::clamp<int64_t>(available / 4, 64 << 20, int64_t{1} << 30);
  const Tensor memory(DType::kU8, {bytes});
  const int64_t part = bytes / threads.threads();
  std::atomic<uint64_t> seen{0};  // keeps the compiler from removing the reads
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    const double seconds = TimeTogether(
        threads, [&](int64_t task) { seen += ReadAll(memory.data() + task * part, part); });
    best = std::max(best, static_cast<double>(part * threads.threads()) / seconds);
  }
  return best;
}

}  // namespace

MachineLimits MeasureLimits(const Compute& compute) {
  const RateProbes probes = compute.kernels.rates();
  return {.f32_per_second = Rate(probes.f32, compute.threads),
          .bf16_per_second = Rate(probes.bf16, compute.threads),
          .int8_per_second = Rate(probes.int8, compute.threads),
          .bytes_per_second = ReadRate(compute.threads)};
}

}  // namespace tome
