// What was asked of a model beyond its training, as the commands print it.
#pragma once

#include <nlohmann/json.hpp>

#include "tome/generate/text_length.h"

namespace tome {

inline nlohmann::ordered_json ToJson(const TextLength& length) {
  return {{"tokens", length.tokens},
          {"trained_on", length.trained_on},
          {"made_for", length.made_for},
          {"by",
           length.by.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(length.by)},
          {"forgotten", length.forgotten}};
}

}  // namespace tome
