// Measures the kernels of the best set (or of TOME_KERNELS) on all processors, each beside its
// ceiling:
//
//   kernel_bench [--benchmark_filter=REGEX]
//
// `share` is the part of the ceiling that is reached. For products of many rows and for attention
// of many queries, the ceiling is operations at the rate of the set's instruction for them. For few
// rows and for decoding, it is bytes at the read bandwidth. The ceilings are measured first
// (eval/machine_limits.h) and printed.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "tome/eval/machine_limits.h"
#include "tome/memory/key_summaries.h"
#include "tome/tensor/codec.h"

namespace tome {
namespace {

ThreadPool& Threads() {
  static ThreadPool threads(ProcessorCount());
  return threads;
}
const Compute& BenchCompute() {
  static const Compute compute{SelectKernelSet(), Threads()};
  return compute;
}
const MachineLimits& Limits() {
  static const MachineLimits limits = MeasureLimits(BenchCompute());
  return limits;
}

std::vector<float> RandomFloats(int64_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = normal(random);
  return values;
}

// Counts `operations` and `bytes` of one iteration against the ceilings.
void Report(benchmark::State& state, double operations, double rate, double bytes) {
  const double limit =
      std::max(rate > 0 ? operations / rate : 0, bytes / Limits().bytes_per_second);
  // The share is the seconds of all iterations at the ceiling over the seconds taken.
  state.counters["share"] = benchmark::Counter(limit * static_cast<double>(state.iterations()),
                                               benchmark::Counter::kIsRate);
  state.counters["GOP/s"] = benchmark::Counter(
      operations * 1e-9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  state.counters["GB/s"] = benchmark::Counter(
      bytes * 1e-9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

double RateFor(DType dtype) {
  if (IsBlockQuantized(dtype)) return Limits().int8_per_second;
  if (dtype != DType::kF32 && Limits().bf16_per_second > 0) return Limits().bf16_per_second;
  return Limits().f32_per_second;
}

// Multiplies by several matrices of 8192 x 2048 in turn, as a model's layers do. Together they are
// larger than the caches.
void Matmul(benchmark::State& state, DType dtype, int64_t tokens) {
  constexpr int64_t kOut = 8192;
  constexpr int64_t kIn = 2048;
  constexpr int64_t kMatrices = 48;
  const Compute& compute = BenchCompute();
  Tensor stored(dtype, {kOut, kIn});
  const std::vector<float> values = RandomFloats(kIn);
  for (int64_t row = 0; row < kOut; ++row) {
    EncodeRow(dtype, values, stored.data() + row * stored.view().row_bytes());
  }
  const int64_t bytes = compute.kernels.packed_bytes(dtype, kOut, kIn);
  std::vector<Tensor> packed;
  for (int64_t i = 0; i < (bytes > 0 ? kMatrices : 1); ++i) {
    packed.emplace_back(DType::kU8, Shape{std::max<int64_t>(bytes, 1)}, Fill::kNone);
    compute.kernels.pack(stored.view(), packed.back().data(), compute.threads);
  }
  const std::vector<float> x = RandomFloats(tokens * kIn);
  std::vector<float> y(static_cast<size_t>(tokens * kOut));
  Tensor scratch;
  size_t next = 0;
  for (auto _ : state) {
    const MatmulOutput output{.weights = {.dtype = dtype,
                                          .out = kOut,
                                          .in = kIn,
                                          .data = bytes > 0 ? packed[next].data() : stored.data()},
                              .gate = {},
                              .y = y.data()};
    MatmulArgs args{.x = x.data(), .tokens = tokens, .in = kIn, .outputs = {&output, 1}};
    if (scratch.data() == nullptr) {
      scratch = Tensor(DType::kU8, {compute.kernels.matmul_scratch(args) + 64});
    }
    args.scratch = scratch.data();
    compute.kernels.matmul(args, compute.threads);
    next = (next + 1) % packed.size();
  }
  Report(state, 2.0 * kOut * kIn * static_cast<double>(tokens), RateFor(dtype),
         static_cast<double>(stored.view().bytes()));
}

// The attention of the 1.1 B shape of bench/make_model.py: 32 heads of 64 over 8 KV heads.
constexpr int64_t kHeads = 32;
constexpr int64_t kKvHeads = 8;
constexpr int64_t kHeadSize = 64;

struct Cache {
  // Writes random keys and values, the same in every page.
  Cache(KvType type, int64_t length) {
    const std::vector<float> x = RandomFloats(kKvPageTokens * kKvHeads * kHeadSize);
    Write(type, length, x, [&](int64_t) { return x; });
  }
  // Writes the keys that `keys_of` gives for each page.
  Cache(KvType type, int64_t length, FunctionRef<std::vector<float>(int64_t page)> keys_of) {
    Write(type, length, RandomFloats(kKvPageTokens * kKvHeads * kHeadSize), keys_of);
  }
  void Write(KvType type, int64_t length, const std::vector<float>& v,
             FunctionRef<std::vector<float>(int64_t page)> keys_of) {
    const int64_t pages = (length + kKvPageTokens - 1) / kKvPageTokens;
    const int64_t bytes = KvPageBytes(type, kKvHeads, kHeadSize);
    storage = Tensor(DType::kU8, {pages, 2, bytes});
    for (int64_t i = 0; i < pages; ++i) {
      keys.push_back(storage.data() + 2 * i * bytes);
      values.push_back(storage.data() + (2 * i + 1) * bytes);
      const std::vector<float> k = keys_of(i);
      BenchCompute().kernels.write_kv({.k = k.data(),
                                       .v = v.data(),
                                       .keys = keys,
                                       .values = values,
                                       .type = type,
                                       .tokens = kKvPageTokens,
                                       .first_position = i * kKvPageTokens,
                                       .kv_heads = kKvHeads,
                                       .head_size = kHeadSize},
                                      Threads());
    }
    read_keys.assign(keys.begin(), keys.end());
    read_values.assign(values.begin(), values.end());
  }
  Tensor storage;  // the keys and values of a page lie together, as in PagedKv
  std::vector<std::byte*> keys, values;
  std::vector<const std::byte*> read_keys, read_values;
};

// Measures `tokens` queries of each of `questions` sequences after `depth` shared positions.
// Decoding reads the memories of several layers in turn, so that no cache of the processor holds
// them.
void Attention(benchmark::State& state, KvType type, int64_t depth, int64_t tokens,
               int64_t questions) {
  const Compute& compute = BenchCompute();
  const int64_t layers = tokens == 1 ? 16 : 1;
  std::vector<Cache> caches;
  for (int64_t l = 0; l < layers; ++l) caches.emplace_back(type, depth + tokens);
  const std::vector<float> q = RandomFloats(questions * tokens * kHeads * kHeadSize);
  std::vector<float> out(q.size());
  size_t layer = 0;
  for (auto _ : state) {
    const Cache& cache = caches[layer];
    std::vector<AttentionSequence> sequences;
    for (int64_t i = 0; i < questions; ++i) {
      const int64_t at = i * tokens * kHeads * kHeadSize;
      sequences.push_back({.q = q.data() + at,
                           .out = out.data() + at,
                           .kv = {.keys = cache.read_keys, .values = cache.read_values},
                           .tokens = tokens,
                           .first_position = depth,
                           .ranges = {}});
    }
    AttentionArgs args{.sequences = sequences,
                       .type = type,
                       .heads = kHeads,
                       .kv_heads = kKvHeads,
                       .head_size = kHeadSize,
                       .scale = 0.125F};
    const AttentionPlan plan = PlanAttention(args);
    const Tensor scratch(DType::kU8, {AttentionScratchBytes(args, plan) + 64}, Fill::kNone);
    args.plan = &plan;
    args.scratch = const_cast<std::byte*>(scratch.data());
    compute.kernels.attention(args, compute.threads);
    layer = (layer + 1) % caches.size();
  }
  const auto seen = static_cast<double>(depth) + (static_cast<double>(tokens) + 1) / 2;
  const double operations =
      4.0 * kHeads * kHeadSize * static_cast<double>(questions * tokens) * seen;
  const double bytes = 2.0 * static_cast<double>(KvPageBytes(type, kKvHeads, kHeadSize)) /
                       static_cast<double>(kKvPageTokens) * static_cast<double>(depth + tokens);
  const bool rounds = type != KvType::kF32 && Limits().bf16_per_second > 0;
  Report(state, operations, rounds ? Limits().bf16_per_second : Limits().f32_per_second, bytes);
}

// Keys share one subject for every kTopicTokens positions, and queries ask about a few subjects.
// The attention of real texts is concentrated, and that of random keys is not. The keys of a
// subject are its direction plus noise. A query is the sum of its subjects' directions, so that
// each subject scores about 12 above the rest.
constexpr int64_t kTopicTokens = 512;
constexpr int64_t kAskedTopics = 4;

std::vector<float> Topic(int64_t number) {
  std::mt19937 random(static_cast<uint32_t>(number + 7));
  std::normal_distribution<float> normal;
  std::vector<float> direction(kKvHeads * kHeadSize);
  for (float& x : direction) x = normal(random);
  return direction;
}

std::vector<float> ClusteredKeys(int64_t page, const std::vector<float>& noise) {
  const std::vector<float> topic = Topic(page * kKvPageTokens / kTopicTokens);
  std::vector<float> k(noise.size());
  for (size_t x = 0; x < k.size(); ++x) k[x] = topic[x % topic.size()] + 0.3F * noise[x];
  return k;
}

// Clustered keys with the summaries that sparse attention keeps.
struct ClusteredCache : Cache {
  ClusteredCache(KvType kv_type, int64_t length, const std::vector<float>& noise)
      : Cache(kv_type, length, [&](int64_t page) { return ClusteredKeys(page, noise); }),
        type(kv_type) {
    Summarize(0, length);
  }
  void Summarize(int64_t kept, int64_t length) {
    summaries.Update(0, read_keys, type, kept, length, BenchCompute());
  }
  KvType type;
  KeySummaries summaries{{.layers = 1, .kv_heads = kKvHeads, .head_size = kHeadSize}};
};

// Measures one call of `tokens` queries after `depth` with all that sparse attention adds:
// summarizing new pages, choosing, planning. A mass of 0 measures exact attention of the same.
// Single tokens choose in two levels, or by every page where `every_page` is set.
void Sparse(benchmark::State& state, int64_t depth, int64_t tokens, double mass, bool every_page) {
  const Compute& compute = BenchCompute();
  const KvType type = compute.kernels.kv_type;
  // Decoding reads several layers in turn, as in Attention.
  const int64_t layers = tokens == 1 ? 4 : 1;
  std::vector<ClusteredCache> caches;
  caches.reserve(static_cast<size_t>(layers));
  const std::vector<float> noise = RandomFloats(kKvPageTokens * kKvHeads * kHeadSize);
  for (int64_t l = 0; l < layers; ++l) caches.emplace_back(type, depth + tokens, noise);
  const int64_t topics = depth / kTopicTokens;
  std::vector<float> q = RandomFloats(tokens * kHeads * kHeadSize);
  for (int64_t t = 0; t < tokens; ++t) {
    std::vector<float> asked(kKvHeads * kHeadSize);
    for (int64_t i = 0; i < kAskedTopics; ++i) {
      // Neighbouring tokens ask about the same subjects.
      const std::vector<float> topic = Topic((t / kChoiceBlockTokens * 131 + i * 37 + 5) % topics);
      for (size_t x = 0; x < asked.size(); ++x) asked[x] += 1.5F * topic[x];
    }
    for (int64_t h = 0; h < kHeads; ++h) {
      for (int64_t c = 0; c < kHeadSize; ++c) {
        float& x = q[static_cast<size_t>((t * kHeads + h) * kHeadSize + c)];
        x = 0.3F * x + asked[static_cast<size_t>(h / (kHeads / kKvHeads) * kHeadSize + c)];
      }
    }
  }
  std::vector<float> out(q.size());
  AttentionShare share;
  size_t layer = 0;
  for (auto _ : state) {
    ClusteredCache& cache = caches[layer];
    AttentionSequence sequence{.q = q.data(),
                               .out = out.data(),
                               .kv = {.keys = cache.read_keys, .values = cache.read_values},
                               .tokens = tokens,
                               .first_position = depth,
                               .ranges = {}};
    PageChoice choice;
    if (mass > 0) {
      cache.Summarize(depth, depth + tokens);
      choice = ChoosePages({.q = q.data(),
                            .ranges = {},
                            .summaries = cache.summaries.Pages(0),
                            .part_summaries = every_page ? std::span<const std::byte* const>()
                                                         : cache.summaries.Parts(0),
                            .tokens = tokens,
                            .first_position = depth,
                            .heads = kHeads,
                            .kv_heads = kKvHeads,
                            .head_size = kHeadSize,
                            .scale = 0.125F,
                            .mass = mass},
                           compute);
      share += choice.share;
      sequence.chosen = &choice.pages;
    }
    AttentionArgs args{.sequences = {&sequence, 1},
                       .type = type,
                       .heads = kHeads,
                       .kv_heads = kKvHeads,
                       .head_size = kHeadSize,
                       .scale = 0.125F};
    const AttentionPlan plan = PlanAttention(args);
    const Tensor scratch(DType::kU8, {AttentionScratchBytes(args, plan) + 64}, Fill::kNone);
    args.plan = &plan;
    args.scratch = const_cast<std::byte*>(scratch.data());
    compute.kernels.attention(args, compute.threads);
    layer = (layer + 1) % caches.size();
  }
  state.counters["density"] = share.density();
  state.counters["mass"] = share.mass();
  state.counters["alone"] = share.density_alone();
  state.counters["scored"] = share.scored();
  state.counters["tokens/s"] =
      benchmark::Counter(static_cast<double>(tokens * static_cast<int64_t>(state.iterations())),
                         benchmark::Counter::kIsRate);
}

void RmsNorm(benchmark::State& state) {
  constexpr int64_t kRows = 512;
  constexpr int64_t kWidth = 2048;
  const std::vector<float> x = RandomFloats(kRows * kWidth);
  const std::vector<float> weight = RandomFloats(kWidth);
  std::vector<float> y(x.size());
  for (auto _ : state) {
    BenchCompute().kernels.rms_norm({.x = x.data(),
                                     .weight = weight.data(),
                                     .y = y.data(),
                                     .rows = kRows,
                                     .width = kWidth,
                                     .eps = 1e-5F},
                                    Threads());
  }
  Report(state, 0, 0, 2.0 * 4 * kRows * kWidth);
}

void ForkJoin(benchmark::State& state) {
  for (auto _ : state) {
    Threads().ParallelFor(Threads().threads(), [](int64_t, int) {});
  }
}

void Register() {
  for (const DType dtype : {DType::kQ8_0, DType::kQ4_0, DType::kQ4_1, DType::kQ4_K, DType::kQ5_K,
                            DType::kQ6_K, DType::kF16, DType::kBF16, DType::kF32}) {
    for (const int64_t tokens : {1, 2, 3, 4, 6, 8, 9, 12, 16, 17, 24, 32, 48, 64, 128, 512}) {
      benchmark::RegisterBenchmark(fmt::format("matmul/{}/{}", NameOf(dtype), tokens).c_str(),
                                   [=](benchmark::State& state) { Matmul(state, dtype, tokens); })
          ->UseRealTime();
    }
  }
  for (const KvType type : kKvTypes) {
    for (const int64_t depth : {0, 4096, 16384}) {
      benchmark::RegisterBenchmark(
          fmt::format("prefill/{}/{}", NameOf(type), depth).c_str(),
          [=](benchmark::State& state) { Attention(state, type, depth, 512, 1); })
          ->UseRealTime();
    }
    for (const int64_t questions : {1, 4}) {
      benchmark::RegisterBenchmark(
          fmt::format("decode/{}/16384/questions:{}", NameOf(type), questions).c_str(),
          [=](benchmark::State& state) { Attention(state, type, 16384, 1, questions); })
          ->UseRealTime();
    }
  }
  for (const int64_t depth : {16384, 65536, 262144}) {
    for (const int64_t tokens : {512, 1}) {
      const auto add = [&](const std::string& what, double mass, bool every_page) {
        benchmark::RegisterBenchmark(
            fmt::format("clustered/{}/{}/{}", tokens == 1 ? "decode" : "prefill", depth, what)
                .c_str(),
            [=](benchmark::State& state) { Sparse(state, depth, tokens, mass, every_page); })
            ->UseRealTime();
      };
      add("exact", 0, false);
      add("sparse=0.95", 0.95, false);
      if (tokens == 1) add("sparse=0.95/every_page", 0.95, true);
    }
  }
  benchmark::RegisterBenchmark("rms_norm/512x2048", RmsNorm)->UseRealTime();
  benchmark::RegisterBenchmark("fork_join", ForkJoin)->UseRealTime();
}

}  // namespace
}  // namespace tome

int main(int argc, char** argv) {
  tome::Register();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const tome::MachineLimits& limits = tome::Limits();
  fmt::print(
      "kernels {}, {} threads; fp32 {:.0f} GFLOP/s, bf16 {:.0f} GFLOP/s, int8 {:.0f} GOP/s, "
      "reads {:.1f} GB/s\n",
      tome::BenchCompute().kernels.name, tome::Threads().threads(), limits.f32_per_second / 1e9,
      limits.bf16_per_second / 1e9, limits.int8_per_second / 1e9, limits.bytes_per_second / 1e9);
  std::fflush(stdout);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
