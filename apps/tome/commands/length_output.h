// How the commands print the lengths that a model was asked for beyond its training.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>

#include "tome/generate/text_length.h"
#include "tome/models/model.h"

namespace tome {

// Returns a model's length in tokens; null means any length.
inline nlohmann::ordered_json TokensOrNull(int64_t tokens) {
  return tokens == kAnyLength ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(tokens);
}

inline nlohmann::ordered_json ToJson(const TextLength& length) {
  return {{"tokens", length.tokens},
          {"trained_on", TokensOrNull(length.trained_on)},
          {"made_for", TokensOrNull(length.made_for)},
          {"by",
           length.by.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(length.by)},
          {"forgotten", length.forgotten}};
}

}  // namespace tome
