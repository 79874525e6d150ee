// What every decoder derives from its settings.
#pragma once

#include <string>

#include "tome/models/decoder_config.h"
#include "tome/models/layers/attention.h"
#include "tome/models/model.h"
#include "tome/models/weights.h"

namespace tome {

AttentionShape AttentionShapeOf(const DecoderConfig& config, int64_t layer);

// Errors as Model::NewMemory. Of keys and values:
Memory NewDecoderMemory(const DecoderConfig& config, const ModelFacts& facts,
                        const MemoryOptions& options);
// Of states, and of keys and values where the facts have some. Distances mean nothing to such
// models, so there is no way to lengthen them.
Memory NewRecurrentMemory(const ModelFacts& facts, const MemoryOptions& options);

// What a model without attention derives from its settings, beside its weights.
struct RecurrentFacts {
  std::string architecture;
  int64_t vocabulary = 0;
  int64_t context = 0;
  int64_t layers = 0;
  RecurrentShape recurrent;
};

// `weights` after all of them were bound.
ModelFacts FactsOf(const RecurrentFacts& facts, const Weights& weights);
ModelFacts FactsOf(const DecoderConfig& config, const std::string& architecture,
                   const Weights& weights);

}  // namespace tome
