#include "tome/generate/model_rates.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <vector>

#include "tome/base/error.h"
#include "tome/generate/synthetic_memory.h"

namespace tome {
namespace {

// These tokens keep all threads at work and are soon read.
constexpr int64_t kMeasuredTokens = 2 * kKvPageTokens;
// At this depth the time of attention can be told from that of linear work, even of a large model.
constexpr int64_t kMeasuredDepth = 2048;
// The best of these runs counts, because the machine does other things as well.
constexpr int kRuns = 2;

double LayerElements(const ModelFacts& facts) {
  double elements = 0;
  for (const LinearWeights& weights : facts.linear)
    elements += static_cast<double>(weights.elements);
  return elements;
}

std::string ShapeOf(const ModelFacts& facts) {
  std::string shape = fmt::format("{} {} layers", facts.architecture, facts.layers);
  for (const LinearWeights& weights : facts.linear) {
    shape += fmt::format(", {} {}", weights.elements, NameOf(weights.dtype));
  }
  shape += fmt::format(", head {} {}, memory {} x {} x {}, attention {}", facts.head.elements,
                       NameOf(facts.head.dtype), facts.kv.layers, facts.kv.kv_heads,
                       facts.kv.head_size, facts.attention_width);
  if (!facts.has_recurrent()) return shape;
  return shape + fmt::format(", state {} x {} + {}", facts.recurrent.layers, facts.recurrent.window,
                             facts.recurrent.state);
}

std::string ProcessorName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return {};
}

// Returns the depth that is measured: no deeper than the middle of a segment, where a model has
// segments.
int64_t DepthOf(const ModelFacts& facts) {
  return facts.segment_tokens > 0 ? std::min(kMeasuredDepth, facts.segment_tokens / 2)
                                  : kMeasuredDepth;
}

// Returns work a second, or `otherwise` where the time cannot be told from that of other work.
double RateOf(double work, double seconds, double otherwise) {
  constexpr double kLeastSeconds = 1e-6;
  return seconds > kLeastSeconds && work > 0 ? work / seconds : otherwise;
}

}  // namespace

ModelRates MeasureRates(const Model& model, const Compute& compute, KvType kv,
                        const WorkControl& control) {
  const ModelFacts& facts = model.facts();
  Memory memory = model.NewMemory({.kv = kv, .max_tokens = kMeasuredDepth + kMeasuredTokens});
  const std::vector<TokenId> sample(static_cast<size_t>(kMeasuredTokens), 0);
  constexpr uint64_t kPasses = uint64_t{5} * kRuns;
  uint64_t passes = 0;
  WorkTime all;  // the sum of the best runs
  const auto time = [&](int64_t tokens, LogitsOf logits) {
    const int64_t depth = memory.length();
    memory.Checkpoint();
    const BatchItem item{.memory = &memory,
                         .tokens = std::span(sample).first(static_cast<size_t>(tokens)),
                         .logits = logits};
    WorkTime best{.wall = std::numeric_limits<double>::infinity()};
    for (int run = 0; run < kRuns; ++run) {
      control.CheckStop();
      const WorkClock clock;
      model.Forward({&item, 1}, compute);
      const WorkTime taken = clock.Elapsed();
      if (taken.wall < best.wall) best = taken;
      TOME_CHECK(memory.Truncate(depth) == depth);
      control.Report("measuring", ++passes, kPasses);
    }
    all += best;
    return best.wall;
  };
  time(1, LogitsOf::kLast);  // brings the weights into memory
  all = {};
  const double read = time(kMeasuredTokens, LogitsOf::kNone);
  const double write = time(1, LogitsOf::kLast);
  const int64_t depth = DepthOf(facts);
  FillWithSyntheticTokens(memory, depth);
  const double read_deep = time(kMeasuredTokens, LogitsOf::kNone);
  const double write_deep = time(1, LogitsOf::kLast);

  const double linear = 2 * LayerElements(facts) * static_cast<double>(kMeasuredTokens);
  const double near = AttentionOperations(facts, 0, kMeasuredTokens);
  const double far = AttentionOperations(facts, depth, kMeasuredTokens);
  ModelRates rates{.under_load = !HadProcessor(all)};
  const double both = (linear + near) / read;
  rates.attention_per_second = RateOf(far - near, read_deep - read, both);
  rates.linear_per_second = RateOf(linear, read - near / rates.attention_per_second, both);
  rates.weight_bytes_per_second = static_cast<double>(WeightBytes(facts)) / write;
  const int64_t grown = MemoryBytes(facts, kv, depth) - MemoryBytes(facts, kv, 0);
  rates.kv_bytes_per_second =
      RateOf(static_cast<double>(grown), write_deep - write, rates.weight_bytes_per_second);
  return rates;
}

SpeedKey SpeedKeyOf(const ModelFacts& facts, const Compute& compute, KvType kv) {
  return {.shape = ShapeOf(facts),
          .processor = ProcessorName(),
          .kernels = KernelsKey(compute.kernels),
          .threads = compute.threads.threads(),
          .kv = kv};
}

double SecondsToRead(const ModelFacts& facts, const ModelRates& rates, int64_t tokens) {
  return 2 * LayerElements(facts) * static_cast<double>(tokens) / rates.linear_per_second +
         AttentionOperations(facts, 0, tokens) / rates.attention_per_second;
}

bool Disproves(const ReadingTime& reading, const ModelFacts& facts, const ModelRates& rates) {
  // In a shorter reading, the fixed costs of a pass or of keeping what was read may be most of the
  // time.
  constexpr int64_t kTellingTokens = 512;
  constexpr double kTellingSeconds = 1;
  constexpr double kTolerance = 1.5;
  if (reading.end - reading.begin < kTellingTokens || reading.taken.wall < kTellingSeconds ||
      !HadProcessor(reading.taken)) {
    return false;
  }
  const double foretold =
      SecondsToRead(facts, rates, reading.end) - SecondsToRead(facts, rates, reading.begin);
  return reading.taken.wall > kTolerance * foretold || kTolerance * reading.taken.wall < foretold;
}

double SecondsToWrite(const ModelFacts& facts, const ModelRates& rates, KvType kv, int64_t depth) {
  // The rate of weights was measured with the states of recurrent layers, so only the growth is
  // added.
  const int64_t grown = MemoryBytes(facts, kv, depth) - MemoryBytes(facts, kv, 0);
  return static_cast<double>(WeightBytes(facts)) / rates.weight_bytes_per_second +
         static_cast<double>(grown) / rates.kv_bytes_per_second;
}

}  // namespace tome
