// What was asked of a model beyond its training, as the commands print it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "tome/generate/text_length.h"
#include "tome/models/model.h"

namespace tome {

// A model's context; null: any length.
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
