// How fast a model reads and writes at some depths of context, and how near that is to what the
// machine could do.
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
  std::vector<int64_t> depths{0};  // tokens already in memory; read one after another
  // Measurements at each depth, depth by depth in turn, so that a machine whose speed drifts does
  // not decide between depths: medians are given.
  int rounds = 1;
  // Numbers of forks of the memory at each depth, the questions about one document, that write
  // `generate` tokens each in the same passes.
  std::vector<int64_t> questions = {};
  // A text's, in order and from the beginning again at their end: the token at a position is the
  // same, whoever reads or writes it. None: drawn at random. Only with sparse attention does speed
  // depend on them.
  std::vector<TokenId> tokens = {};
  std::optional<KvType> kv = {};               // as MemoryOptions::kv
  std::optional<double> attention_mass = {};   // as MemoryOptions::attention_mass
  std::optional<int64_t> resident_bytes = {};  // as MemoryOptions::resident_bytes
  std::filesystem::path spill_folder = {};     // as MemoryOptions::spill_folder
};

// A rate, and the share of it in what the limits allow: operations of the linear layers at the
// rate of their type and of attention at the rate of its, or bytes of weights and memory at the
// read bandwidth, whichever takes longer. 0 where nothing was measured.
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
  Speed generate;  // of all of them
};

struct SpeedAtDepth {
  int64_t depth = 0;
  Speed fill;      // reading everything up to the depth, from empty: the mean
  Speed prompt;    // reading `prompt` tokens behind it
  Speed generate;  // writing `generate` tokens behind it
  // Medians over the rounds of a token's time here, divided by that at the least depth.
  double prompt_cost = 0;  // 0: none were read
  double generate_cost = 0;
  std::vector<SpeedTogether> together;   // in the order of SpeedOptions::questions
  int64_t kv_bytes = 0;                  // of the memory at the depth, states included
  std::optional<SparseUse> sparse = {};  // what prompt and generate attended, where not all
};

// Limits are those of exact attention. Errors: kInvalidArgument for negative numbers,
// Model::Forward's, kCancelled.
std::vector<SpeedAtDepth> MeasureSpeed(const Model& model, const Compute& compute,
                                       const MachineLimits& limits, const SpeedOptions& options,
                                       const WorkControl& control);

// Most memory that this process has held since it began, or since ResetPeakMemory where the system
// lets a process ask for that; in bytes.
int64_t PeakMemory();
void ResetPeakMemory();

}  // namespace tome
