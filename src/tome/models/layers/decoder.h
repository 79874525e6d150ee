// What every decoder derives from its settings.
#pragma once

#include <string>

#include "tome/models/decoder_config.h"
#include "tome/models/layers/attention.h"
#include "tome/models/model.h"
#include "tome/models/weights.h"

namespace tome {

AttentionShape AttentionShapeOf(const DecoderConfig& config, int64_t layer);

// Of keys and values, states or both, by the facts. Error(kInvalidArgument) when options.max_tokens
// is negative or options.attention_mass is no share.
Memory NewDecoderMemory(const ModelFacts& facts, const MemoryOptions& options);

// `weights` after all of them were bound.
ModelFacts FactsOf(const DecoderConfig& config, const std::string& architecture,
                   const Weights& weights);

}  // namespace tome
