#include "tome/eval/speed.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include "tome/base/error.h"
#include "tome/eval/median.h"
#include "tome/eval/random_tokens.h"
#include "tome/generate/session.h"

namespace tome {
namespace {

using Clock = std::chrono::steady_clock;

class SpeedMeasurement {
 public:
  SpeedMeasurement(const Model& model, const Compute& compute, const MachineLimits& limits,
                   const SpeedOptions& options, const WorkControl& control)
      : model_(model),
        compute_(compute),
        limits_(limits),
        options_(options),
        control_(control),
        depths_(options.depths),
        memory_(model.NewMemory({.kv = options.kv,
                                 .max_tokens = Longest(),
                                 .attention_mass = options.attention_mass,
                                 .resident_bytes = options.resident_bytes,
                                 .spill_folder = options.spill_folder})) {
    std::sort(depths_.begin(), depths_.end());
    const auto stops = static_cast<int64_t>(depths_.size());
    const auto forks = static_cast<int64_t>(options.questions.size());
    total_ = depths_.back() + stops * (options.rounds * options.prompt +
                                       options.generate * (options.rounds + forks) * kDecodeWeight);
  }

  std::vector<SpeedAtDepth> Run() {
    WarmUp();
    std::vector<SpeedAtDepth> speeds;
    std::vector<Memory> memories;
    double fill_seconds = 0;
    for (const int64_t depth : depths_) {
      SpeedAtDepth& at = speeds.emplace_back();
      at.depth = depth;
      fill_seconds += Read(depth - memory_.length());
      if (depth > 0) at.fill = Of(depth, fill_seconds, ReadLimit(0, depth));
      at.kv_bytes = memory_.bytes();
      memories.push_back(memory_.Fork());
      memories.back().Preselect();
      if (memories.back().sparse()) memories.back().sparse()->use = {};
    }
    std::vector<std::vector<double>> reading(speeds.size());  // seconds, by depth and round
    std::vector<std::vector<double>> writing(speeds.size());
    for (int round = 0; round < options_.rounds; ++round) {
      for (size_t i = 0; i < speeds.size(); ++i) {
        memory_ = memories[i].Fork();
        if (options_.prompt > 0) reading[i].push_back(Read(options_.prompt));
        GoBackTo(memories[i]);
        if (options_.generate > 0) writing[i].push_back(Write({&memory_, 1}, options_.generate));
        GoBackTo(memories[i]);
      }
    }
    for (size_t i = 0; i < speeds.size(); ++i) {
      SpeedAtDepth& at = speeds[i];
      if (options_.prompt > 0) {
        at.prompt = Of(options_.prompt, MedianOf(reading[i]), ReadLimit(at.depth, options_.prompt));
        at.prompt_cost = MedianOfRatios(reading[i], reading[0]);
      }
      if (options_.generate > 0) {
        at.generate =
            Of(options_.generate, MedianOf(writing[i]), WriteLimit(at.depth, options_.generate, 1));
        at.generate_cost = MedianOfRatios(writing[i], writing[0]);
      }
      memory_ = memories[i].Fork();
      for (const int64_t questions : options_.questions) {
        at.together.push_back({.questions = questions, .generate = WriteTogether(questions)});
      }
      if (memory_.sparse()) at.sparse = memory_.sparse()->use;
    }
    return speeds;
  }

 private:
  // Writing a token takes about as long as reading this many.
  static constexpr int64_t kDecodeWeight = 8;

  // Goes back to `before`, of which this memory is a fork. `before` takes over its count of what
  // sparse attention used.
  void GoBackTo(Memory& before) {
    if (before.sparse()) before.sparse()->use = memory_.sparse()->use;
    memory_ = before.Fork();
  }

  static Speed Of(int64_t tokens, double seconds, double limit_seconds) {
    const auto count = static_cast<double>(tokens);
    return {.tokens = tokens,
            .tokens_per_second = count / seconds,
            .limit_tokens_per_second = limit_seconds > 0 ? count / limit_seconds : 0};
  }

  int64_t Longest() const {
    if (options_.prompt < 0 || options_.generate < 0 || options_.depths.empty() ||
        *std::min_element(options_.depths.begin(), options_.depths.end()) < 0) {
      throw Error(Code::kInvalidArgument,
                  "the numbers of tokens and the depths of a measurement must not be negative");
    }
    if (options_.rounds < 1) {
      throw Error(Code::kInvalidArgument, "a measurement takes at least one round");
    }
    if (std::ranges::any_of(options_.questions, [](int64_t count) { return count < 1; })) {
      throw Error(Code::kInvalidArgument, "the number of questions must be at least 1");
    }
    const int64_t deepest = *std::max_element(options_.depths.begin(), options_.depths.end());
    return deepest + std::max(options_.prompt, options_.generate) + 1;
  }

  // Returns the tokens of `count` positions from `first` on.
  std::vector<TokenId> Tokens(int64_t first, int64_t count) {
    const std::vector<TokenId>& text = options_.tokens;
    if (text.empty()) return RandomTokens(random_, count, model_.facts().vocabulary);
    std::vector<TokenId> tokens(static_cast<size_t>(count));
    auto next = static_cast<size_t>(first) % text.size();
    for (TokenId& token : tokens) {
      token = text[next];
      next = (next + 1) % text.size();
    }
    return tokens;
  }

  // Brings the weights into the caches' reach and the buffers into the allocator's.
  void WarmUp() {
    Memory memory = model_.NewMemory({.kv = options_.kv, .max_tokens = 64});
    for (const int64_t count : {32, 1}) {
      const std::vector<TokenId> tokens = Tokens(0, count);
      const BatchItem item{.memory = &memory, .tokens = tokens};
      model_.Forward({&item, 1}, compute_);
    }
  }

  double Read(int64_t count) {
    const std::vector<TokenId> tokens = Tokens(memory_.length(), count);
    const auto begin = Clock::now();
    for (int64_t at = 0; at < count; at += kPrefillChunk) {
      control_.CheckStop();
      const int64_t size = std::min(kPrefillChunk, count - at);
      const BatchItem item{
          .memory = &memory_,
          .tokens = std::span(tokens).subspan(static_cast<size_t>(at), static_cast<size_t>(size)),
          .logits = at + size == count ? LogitsOf::kLast : LogitsOf::kNone};
      model_.Forward({&item, 1}, compute_);
      Report(size);
    }
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

  // Writes `count` tokens into each memory, one at a time, and returns the seconds.
  double Write(std::span<Memory> memories, int64_t count) {
    std::vector<std::vector<TokenId>> tokens;
    for (const Memory& memory : memories) tokens.push_back(Tokens(memory.length(), count));
    const auto begin = Clock::now();
    for (int64_t i = 0; i < count; ++i) {
      control_.CheckStop();
      std::vector<BatchItem> batch;
      for (size_t m = 0; m < memories.size(); ++m) {
        batch.push_back({.memory = &memories[m],
                         .tokens = std::span(tokens[m]).subspan(static_cast<size_t>(i), 1)});
      }
      model_.Forward(batch, compute_);
      Report(kDecodeWeight);
    }
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

  Speed WriteTogether(int64_t questions) {
    if (options_.generate == 0) return {};
    std::vector<Memory> forks;
    for (int64_t i = 0; i < questions; ++i) forks.push_back(memory_.Fork());
    const double seconds = Write(forks, options_.generate);
    return Of(questions * options_.generate, seconds,
              std::max(WriteLimit(memory_.length(), options_.generate, questions),
                       ComputeLimit(memory_.length(), options_.generate, questions)));
  }

  void Report(int64_t work) {
    done_ = std::min(done_ + work, total_);
    control_.Report("measuring", static_cast<uint64_t>(done_), static_cast<uint64_t>(total_));
  }

  // Returns the operations a second that products with a type of weights can reach.
  double RateFor(DType dtype) const {
    if (IsBlockQuantized(dtype)) return limits_.int8_per_second;
    if (dtype != DType::kF32 && limits_.bf16_per_second > 0) return limits_.bf16_per_second;
    return limits_.f32_per_second;
  }

  // Returns the seconds of the layers' products. Of the output head, a prompt's last row alone is
  // computed, so it is left out.
  double LinearSeconds(double tokens) const {
    double seconds = 0;
    for (const LinearWeights& weights : model_.facts().linear) {
      const double rate = RateFor(weights.dtype);
      if (rate == 0) return 0;  // the set `generic` has no integer products
      seconds += 2 * static_cast<double>(weights.elements) * tokens / rate;
    }
    return seconds;
  }

  double AttentionSeconds(double operations) const {
    const double rate = kv_type() != KvType::kF32 && limits_.bf16_per_second > 0
                            ? limits_.bf16_per_second
                            : limits_.f32_per_second;
    return operations / rate;
  }

  // Returns the seconds that the limits allow for reading `count` tokens after `depth` others.
  double ReadLimit(int64_t depth, int64_t count) const {
    return LinearSeconds(static_cast<double>(count)) +
           AttentionSeconds(AttentionOperations(model_.facts(), depth, count));
  }

  // Returns the seconds for writing `count` tokens, one at a time, for each of some questions.
  // Every byte of weights and memory is read, the memory up to the depth once for all questions.
  double WriteLimit(int64_t depth, int64_t count, int64_t questions) const {
    const ModelFacts& facts = model_.facts();
    auto bytes = static_cast<double>(WeightBytes(facts));
    // States are read and written for every question.
    const int64_t states = MemoryBytes(facts, kv_type(), 0);
    const auto page = static_cast<double>(MemoryBytes(facts, kv_type(), kKvPageTokens) - states);
    const double middle = Seen(static_cast<double>(depth) +
                               static_cast<double>(questions) * static_cast<double>(count) / 2);
    bytes += page / static_cast<double>(kKvPageTokens) * middle;
    bytes += 2 * static_cast<double>(questions) * static_cast<double>(states);
    return bytes * static_cast<double>(count) / limits_.bytes_per_second;
  }

  // Returns the seconds of the operations of the same work, which count with several questions. The
  // output head is left out.
  double ComputeLimit(int64_t depth, int64_t count, int64_t questions) const {
    const auto tokens = static_cast<double>(questions * count);
    const double middle = Seen(static_cast<double>(depth) + static_cast<double>(count) / 2);
    const double operations =
        4 * static_cast<double>(model_.facts().attention_width) * tokens * middle;
    return LinearSeconds(tokens) + AttentionSeconds(operations);
  }

  // Returns how many of `tokens` tokens a token attends to: on average half a segment, where there
  // are segments.
  double Seen(double tokens) const {
    const auto segment = static_cast<double>(model_.facts().segment_tokens);
    return segment > 0 ? std::min(tokens, segment / 2) : tokens;
  }

  KvType kv_type() const { return memory_.has_kv() ? memory_.kv().type() : KvType::kF32; }

  const Model& model_;
  const Compute& compute_;
  const MachineLimits& limits_;
  const SpeedOptions& options_;
  const WorkControl& control_;
  std::vector<int64_t> depths_;
  Memory memory_;
  std::mt19937 random_{1};
  int64_t total_ = 0;
  int64_t done_ = 0;
};

}  // namespace

std::vector<SpeedAtDepth> MeasureSpeed(const Model& model, const Compute& compute,
                                       const MachineLimits& limits, const SpeedOptions& options,
                                       const WorkControl& control) {
  return SpeedMeasurement(model, compute, limits, options, control).Run();
}

int64_t PeakMemory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    constexpr std::string_view kPeak = "VmHWM:";
    if (line.starts_with(kPeak)) return std::stoll(line.substr(kPeak.size())) * 1024;
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

void ResetPeakMemory() { std::ofstream("/proc/self/clear_refs") << "5"; }

}  // namespace tome
