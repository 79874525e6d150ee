// ModelRates say how fast a model runs on this machine, in as few numbers as an estimate of its
// work needs.
#pragma once

#include <cstdint>
#include <string>

#include "tome/base/progress.h"
#include "tome/base/work_clock.h"
#include "tome/kernels/kernel_set.h"
#include "tome/models/model.h"

namespace tome {

// Each number is a rate that a pass reaches with all it costs, not a limit of the machine.
struct ModelRates {
  double linear_per_second = 0;        // operations of the layers' matrices, while reading
  double attention_per_second = 0;     // operations of attention, while reading
  double weight_bytes_per_second = 0;  // of layers and output head, while writing
  double kv_bytes_per_second = 0;      // of keys and values, while writing
  bool under_load = false;  // the machine did other things meanwhile: it may be faster than this
  std::string measured_at = {};  // UTC, ISO 8601; empty where the rates are not kept yet

  friend bool operator==(const ModelRates&, const ModelRates&) = default;
};

// Measures a few passes over two pages of tokens and over single tokens, at the beginning of a text
// and after some thousand tokens that were never read; reports "measuring". Sets
// ModelRates::under_load by HadProcessor. Throws what Model::Forward throws, and Error(kCancelled).
ModelRates MeasureRates(const Model& model, const Compute& compute, KvType kv,
                        const WorkControl& control);

// SpeedKey holds all that the rates of a model depend on: rates measured for a key need not be
// measured again for an equal one.
struct SpeedKey {
  std::string shape;      // of the model, not of its file: weights of other values run as fast
  std::string processor;  // its name; empty where the system does not tell it
  std::string kernels;    // KernelsKey
  int threads = 0;
  KvType kv = KvType::kF16;
};
SpeedKey SpeedKeyOf(const ModelFacts& facts, const Compute& compute, KvType kv);

// Returns the seconds of one run of the model over a prompt: linear work is 2P operations a token,
// attention 4·L·H·d·t at position t.
double SecondsToRead(const ModelFacts& facts, const ModelRates& rates, int64_t tokens);

// The time that reading a text's tokens [begin, end) took.
struct ReadingTime {
  int64_t begin = 0;
  int64_t end = 0;
  WorkTime taken;
};

// Returns whether a reading shows that rates are wrong: it was long enough to tell, had its
// processors, and took more than one and a half times as long as foretold, or less than two thirds
// of that.
bool Disproves(const ReadingTime& reading, const ModelFacts& facts, const ModelRates& rates);

// Returns the seconds of one token written after `depth` others: every byte of weights and memory
// is read.
double SecondsToWrite(const ModelFacts& facts, const ModelRates& rates, KvType kv, int64_t depth);

}  // namespace tome
