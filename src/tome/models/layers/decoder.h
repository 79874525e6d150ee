// These functions derive memories and facts from a decoder's settings.
#pragma once

#include <string>

#include "tome/models/decoder_config.h"
#include "tome/models/layers/attention.h"
#include "tome/models/model.h"
#include "tome/models/weights.h"

namespace tome {

AttentionShape AttentionShapeOf(const DecoderConfig& config, int64_t layer);

// Makes a memory of keys and values. Throws the errors of Model::NewMemory.
Memory NewDecoderMemory(const DecoderConfig& config, const ModelFacts& facts,
                        const MemoryOptions& options);
// Makes a memory of states, and of keys and values where the facts have some. Distances mean
// nothing to such models, so no window and no context extension goes with them. Throws the errors
// of Model::NewMemory.
Memory NewRecurrentMemory(const ModelFacts& facts, const MemoryOptions& options);

// RecurrentFacts is what a recurrent model derives from its settings, beside its weights.
struct RecurrentFacts {
  std::string architecture;
  int64_t vocabulary = 0;
  int64_t context = 0;  // tokens
  int64_t layers = 0;
  RecurrentShape recurrent;
};

// Return the facts of a model after `weights` has bound all its tensors.
ModelFacts FactsOf(const RecurrentFacts& facts, const Weights& weights);
ModelFacts FactsOf(const DecoderConfig& config, const std::string& architecture,
                   const Weights& weights);

}  // namespace tome
