// Measures how fast a model reads and writes at several depths of context, and how near that is to
// the limits of the machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "tome/base/progress.h"
#include "tome/eval/machine_limits.h"
#include "tome/models/model.h"

namespace tome {

struct SpeedOptions {
  int64_t prompt = 512;            // tokens read at each depth; 0: none
  int64_t generate = 32;           // tokens written at each depth, one at a time; 0: none
  std::vector<int64_t> depths{0};  // tokens already in memory; read in ascending order
  // Measurements at each depth. A round measures all depths in turn, so that a drifting speed of
  // the machine favours no depth. Results are medians.
  int rounds = 1;
  // Numbers of questions about one document. For each number, as many forks of the memory at each
  // depth write `generate` tokens each in the same passes.
  std::vector<int64_t> questions = {};
  // Tokens of a text, which begins again at its end. The token at a position is always the same.
  // Where the text is empty, tokens are drawn at random. Only sparse attention's speed depends on
  // them.
  std::vector<TokenId> tokens = {};
  std::optional<KvType> kv = {};               // MemoryOptions::kv
  std::optional<double> attention_mass = {};   // MemoryOptions::attention_mass
  std::optional<int64_t> resident_bytes = {};  // MemoryOptions::resident_bytes
  std::filesystem::path spill_folder = {};     // MemoryOptions::spill_folder
};

// A rate, and its share of the rate that the limits allow. The limit of reading is the time of the
// operations: those of linear layers at the rate of their type, those of attention at the rate of
// its type. The limit of writing is the time to read the bytes of weights and memory; for several
// questions together it is the longer of both times. 0 where nothing was measured.
struct Speed {
  int64_t tokens = 0;
  double tokens_per_second = 0;
  double limit_tokens_per_second = 0;
  double share() const {
    return limit_tokens_per_second > 0 ? tokens_per_second / limit_tokens_per_second : 0;
  }
};

struct SpeedTogether {
  int64_t questions = 0;
  Speed generate;  // of all questions together
};

struct SpeedAtDepth {
  int64_t depth = 0;
  Speed fill;      // reading everything up to the depth from empty: the mean
  Speed prompt;    // reading `prompt` tokens after the depth
  Speed generate;  // writing `generate` tokens after the depth
  // Medians over the rounds of a token's time here, divided by that at the least depth.
  double prompt_cost = 0;  // 0: none were read
  double generate_cost = 0;
  std::vector<SpeedTogether> together;   // in the order of SpeedOptions::questions
  int64_t kv_bytes = 0;                  // of the memory at the depth, states included
  std::optional<SparseUse> sparse = {};  // what prompt and generate attended; empty: all
};

// Measures a model. The limits are those of exact attention. Throws Error(kInvalidArgument) for
// numbers that are negative or too small, the errors of Model::Forward, and Error(kCancelled).
std::vector<SpeedAtDepth> MeasureSpeed(const Model& model, const Compute& compute,
                                       const MachineLimits& limits, const SpeedOptions& options,
                                       const WorkControl& control);

// Returns the most bytes of memory that this process has held since it began or, where the system
// lets a process reset them, since ResetPeakMemory.
int64_t PeakMemory();
void ResetPeakMemory();

}  // namespace tome
